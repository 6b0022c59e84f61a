import Processing

/// What `nnjobsd` can be told on its command line; each option wins over NNJOBS_* and the configuration.
struct DaemonOptions {
  private static let names = ["jobs", "results", "state", "workers", "memory", "grace", "patience"]

  /// What `--help` prints.
  static let help = """
    usage: nnjobsd [--jobs FOLDER] [--results FOLDER] [--state FOLDER]
                   [--workers N] [--memory SIZE] [--grace SECONDS] [--patience SECONDS]

    Serves a queue: takes job files from the jobs folder, computes them in worker processes, publishes
    their results. Ends on SIGTERM; what runs then goes back into the queue.

      --jobs FOLDER     the inbox (NNJOBS_JOBS; default: jobs here)
      --results FOLDER  where results are published (NNJOBS_RESULTS; default: results here)
      --state FOLDER    store, lock and claimed job files (NNJOBS_STATE; default: .nnjobs here)
      --workers N       jobs computed at once (default: one for each core)
      --memory SIZE     memory that running jobs may plan to use, as 16GiB (default: 0.8 of the machine's)
      --grace SECONDS   time a job may take to stop before its worker is killed (default: 10)
      --patience SECONDS
                        time an incomplete file may stay unchanged before it is refused (default: 60)
      --version         print the version
      --help            print this
    """

  private var given: [(name: String, value: String)] = []

  /// Reads `--name value` and `--name=value`; throws what is wrong as a sentence.
  init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      guard argument.hasPrefix("--"), let name = parts.first?.dropFirst(2),
        DaemonOptions.names.contains(String(name))
      else {
        throw UsageError(sentence: "no option \(argument); see nnjobsd --help")
      }
      guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
        throw UsageError(sentence: "\(argument) needs a value; see nnjobsd --help")
      }
      given.append((String(name), value))
    }
  }

  /// The configuration file's settings, NNJOBS_JOBS, _RESULTS and _STATE over them, and these options over both.
  func settings(_ environment: [String: String]) throws -> Configuration {
    var settings = try Configuration(environment: environment)
    for name in DaemonOptions.names.prefix(3) {
      if let value = environment["NNJOBS_" + name.uppercased()] {
        _ = settings.set(name, to: value)
      }
    }
    for (name, value) in given {
      if let reason = settings.set(name, to: value) { throw UsageError(sentence: "--\(reason)") }
    }
    return settings
  }
}

/// A command line that cannot be understood.
struct UsageError: Error {
  /// What would have been right.
  let sentence: String
}
