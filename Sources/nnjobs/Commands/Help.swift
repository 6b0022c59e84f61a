import CommandLineOptions

/// `nnjobs help`: every command, or one of them whole.
enum Help: Command {
  static let name = "help"
  static let summary = "this list; with COMMAND, its options"
  static let operands = "[COMMAND]"

  static func run(_ call: Call) throws -> ExitCode {
    guard call.arguments.operands.count <= 1 else {
      throw Complaint.unexpectedOperand(command: name, call.arguments.operands[1])
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
    nnjobs – exact derivatives of neural networks, as jobs in a queue

    Usage: nnjobs [OPTION…] [COMMAND …]        nnjobs alone is nnjobs status

    Commands:
    \(list(Commands.all.map { ($0.name + ($0.operands.isEmpty ? "" : " " + $0.operands), $0.summary) }))
    Options of every command:
    \(list(Option.beforeTheCommand.map { (usage(of: $0), $0.summary) }))
    A queue is found by its three folders: from the options, else NNJOBS_JOBS, NNJOBS_RESULTS and
    NNJOBS_STATE, else the configuration file (NNJOBS_CONFIG or /etc/nnjobs/nnjobs.conf), else
    jobs/, results/ and .nnjobs/ in the current folder.

    Exit codes: 0 done, 1 a job did not succeed, 2 no such job or nothing affected, 3 waited long
    enough, 4 store or daemon out of reach, 5 not permitted, 6 does not fit, 7 no valid job file,
    64 usage, 70 a bug, 74 input or output failed, 130 interrupted.

    """
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
