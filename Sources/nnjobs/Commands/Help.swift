import CommandLineOptions

/// `nnjobs help`: every command, or one of them whole.
enum Help: Command {
  static let name = "help"
  static let summary = "this list; with COMMAND, its options"
  static let operands = "[COMMAND]"
  static let man = Option("man", "write the manual page nnjobs(1), in mdoc(7)")
  static let options = [man]

  /// What all of it is, in a line.
  static let summaryOfAll = "exact derivatives of neural networks, as jobs in a queue"
  /// How a queue is found.
  static let placeOfQueue = """
    A queue is found by its three folders: from the options, else NNJOBS_JOBS, NNJOBS_RESULTS and
    NNJOBS_STATE, else the configuration file (NNJOBS_CONFIG or /etc/nnjobs/nnjobs.conf), else
    jobs/, results/ and .nnjobs/ in the current folder.
    """

  static func run(_ call: Call) throws -> ExitCode {
    guard call.arguments.operands.count <= 1 else {
      throw Complaint.unexpectedOperand(command: name, call.arguments.operands[1])
    }
    if call.arguments.has(man) {
      try Output.standardOutput(ManualPage.ofNNJobs.source)
      return .done
    }
    guard let command = call.arguments.operands.first else {
      try Output.standardOutput(overview)
      return .done
    }
    try Output.standardOutput(page(of: try Commands.named(command)))
    return .done
  }

  /// What `nnjobs help` shows.
  static var overview: String {
    """
    nnjobs – \(summaryOfAll)

    Usage: nnjobs [OPTION…] [COMMAND …]        nnjobs alone is nnjobs status

    Commands:
    \(list(Commands.all.map { ($0.name + ($0.operands.isEmpty ? "" : " " + $0.operands), $0.summary) }))
    Options of every command:
    \(list(Option.beforeTheCommand.map { (usage(of: $0), $0.summary) }))
    \(placeOfQueue)

    Exit codes: \(exitCodes)

    """
  }

  private static var exitCodes: String {
    let list = ExitCode.allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: " · ")
    return list.wrapped(at: 88).joined(separator: "\n")
  }

  /// What `--help` of a command shows.
  static func page(of command: any Command.Type) -> String {
    let operands = command.operands.isEmpty ? "" : " " + command.operands
    return """
      nnjobs \(command.name) – \(command.summary)

      Usage: nnjobs \(command.name) [OPTION…]\(operands)

      Options:
      \(list(command.allOptions.map { (usage(of: $0), $0.summary) }))
      """ + (command.notes.isEmpty ? "" : "\n\(command.notes)\n")
  }

  private static func usage(of option: Option) -> String {
    (option.letter.map { "-\($0), " } ?? "    ") + "--\(option.name)"
      + (option.value.map { " " + $0 } ?? "")
  }

  private static func list(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { row in
      "  \(row.0)\(String(repeating: " ", count: width - row.0.count))  \(row.1)\n"
    }.joined()
  }
}
