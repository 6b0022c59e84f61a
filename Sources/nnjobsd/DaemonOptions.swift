import CommandLineOptions
import Processing

/// What `nnjobsd` can be told on its command line; each option wins over NNJOBS_* and the configuration.
struct DaemonOptions {
  /// What the daemon is, in a line.
  static let summary =
    "serves a queue: takes job files, computes them in worker processes, publishes results"

  /// One option for each setting of the configuration, under the same name.
  private static let settings = Setting.all.compactMap { setting in
    setting.option.map {
      Option($0, value: setting.value, "\(setting.meaning) (else \(setting.fallback))")
    }
  }
  private static let help = Option("help", letter: "h", "show this help")
  private static let version = Option("version", "show the version")
  private static let man = Option(
    "man", value: "PAGE", "write the manual page nnjobsd or nnjobs.conf, in mdoc(7)",
    choices: DaemonPage.allCases.map(\.rawValue))

  /// Every option there is.
  static let all = settings + [help, version, man]

  /// What `--help` prints.
  static var page: String {
    let lines = all.flatMap { option in
      let name = option.letter.map { "-\($0), --" } ?? "--"
      let word = name + option.name + (option.value.map { " " + $0 } ?? "")
      let text = option.summary.wrapped(at: 70)
      return text.enumerated().map { index, line in
        let first = index == 0 ? word : ""
        return "  " + first + String(repeating: " ", count: max(1, 26 - first.count)) + line
      }
    }
    return """
      nnjobsd – \(summary)

      Usage: nnjobsd [OPTION…]

      \(lines.joined(separator: "\n"))

      Every option but the last three can also stand in /etc/nnjobs/nnjobs.conf (or the file that
      NNJOBS_CONFIG names), as name = value; the three folders also in NNJOBS_JOBS, NNJOBS_RESULTS and
      NNJOBS_STATE. Ends on SIGTERM; what runs then goes back into the queue.
      """
  }

  private let arguments: Arguments

  /// Reads the words behind the program's name.
  init(_ words: [String]) throws(OptionError) {
    let arguments = try ArgumentReader.read(
      words, options: DaemonOptions.all, command: nil, help: "nnjobsd --help", stopsAtOperand: false
    )
    if let operand = arguments.operands.first {
      throw .unknown(operand, command: nil, near: nil, help: "nnjobsd --help")
    }
    self.arguments = arguments
  }

  /// Whether the help is asked for.
  var wantsHelp: Bool { arguments.has(DaemonOptions.help) }
  /// Whether the version is asked for.
  var wantsVersion: Bool { arguments.has(DaemonOptions.version) }

  /// The manual page that is asked for; throws when there is none of that name.
  var manualPage: ManualPage? {
    get throws(UsageError) {
      guard let name = arguments.value(DaemonOptions.man) else { return nil }
      guard let found = DaemonPage(rawValue: name) else {
        let names = DaemonPage.allCases.map(\.rawValue).joined(separator: " or ")
        throw UsageError(sentence: "--man is \(names), not \"\(name)\"")
      }
      return found.page
    }
  }

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
