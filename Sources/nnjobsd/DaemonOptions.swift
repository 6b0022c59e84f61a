import CommandLineOptions
import Processing

/// What `nnjobsd` can be told on its command line; each option wins over NNJOBS_* and the configuration.
struct DaemonOptions {
  /// One option for each setting of the configuration, under the same name.
  private static let settings = [
    Option("jobs", value: "FOLDER", "the inbox (NNJOBS_JOBS; else jobs here)"),
    Option(
      "results", value: "FOLDER", "where results are published (NNJOBS_RESULTS; else results here)"
    ),
    Option(
      "state", value: "FOLDER",
      "store, lock and claimed job files (NNJOBS_STATE; else .nnjobs here)"),
    Option("workers", value: "COUNT", "jobs computed at once (else one for each core)"),
    Option(
      "memory", value: "SIZE", "what running jobs may plan to use, as 16GiB (else 0.8 of all)"),
    Option(
      "grace", value: "SECONDS", "time to stop in, before a worker is killed (else 10)"),
    Option(
      "checkpoint", value: "SECONDS",
      "time between two records of a job's progress, 0 for none (else 10)"),
    Option(
      "patience", value: "SECONDS", "how long a file may stay incomplete (else 60)"),
    Option("keep", value: "AGE", "when ended jobs are forgotten, as 30d (else never)"),
    Option("keep-results", value: "yes|no", "whether their results stay then (else yes)"),
    Option(
      "results-group", value: "GROUP",
      "readers of results besides owners; none (else as modes say)"),
    Option("time-limit", value: "TIME", "how long a job may run that names no limit"),
    Option("longest-time", value: "TIME", "the longest limit that a job may name"),
    Option("user-running", value: "COUNT", "how many jobs of one user run at once"),
    Option(
      "user-queued", value: "COUNT", "how many jobs of one user are queued; others wait in jobs/"),
    Option(
      "user-priority", value: "NUMBER", "the highest priority of users' jobs (else 0)"),
  ]
  private static let help = Option("help", letter: "h", "show this help")
  private static let version = Option("version", "show the version")

  /// What `--help` prints.
  static var page: String {
    let lines = (settings + [help, version]).map { option in
      let word = "--" + option.name + (option.value.map { " " + $0 } ?? "")
      return "  " + word + String(repeating: " ", count: max(1, 26 - word.count)) + option.summary
    }
    return """
      nnjobsd – serves a queue: takes job files, computes them in worker processes, publishes results

      Usage: nnjobsd [OPTION…]

      \(lines.joined(separator: "\n"))

      Every option can also stand in /etc/nnjobs/nnjobs.conf (or the file that NNJOBS_CONFIG names), as
      name = value. Ends on SIGTERM; what runs then goes back into the queue.
      """
  }

  private let arguments: Arguments

  /// Reads the words behind the program's name.
  init(_ words: [String]) throws(OptionError) {
    let arguments = try ArgumentReader.read(
      words, options: DaemonOptions.settings + [DaemonOptions.help, DaemonOptions.version],
      command: nil, help: "nnjobsd --help", stopsAtOperand: false)
    if let operand = arguments.operands.first {
      throw .unknown(operand, command: nil, near: nil, help: "nnjobsd --help")
    }
    self.arguments = arguments
  }

  /// Whether the help is asked for.
  var wantsHelp: Bool { arguments.has(DaemonOptions.help) }
  /// Whether the version is asked for.
  var wantsVersion: Bool { arguments.has(DaemonOptions.version) }

  /// The configuration file's settings, NNJOBS_JOBS, _RESULTS and _STATE over them, these options over both.
  func settings(_ environment: [String: String]) throws -> Configuration {
    var settings = try Configuration(environment: environment)
    for name in ["jobs", "results", "state"] {
      if let value = environment["NNJOBS_" + name.uppercased()] {
        _ = settings.set(name, to: value)
      }
    }
    for option in DaemonOptions.settings {
      guard let value = arguments.value(option) else { continue }
      if let reason = settings.set(option.name.replacing("-", with: "_"), to: value) {
        throw UsageError(sentence: "--\(reason)")
      }
    }
    return settings
  }
}

/// A value that a setting does not take.
struct UsageError: Error {
  /// What would have been right.
  let sentence: String
}
