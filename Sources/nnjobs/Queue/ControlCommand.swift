import CommandLineOptions
import Processing

/// A command that asks the daemon one thing about jobs, under the name of what it asks.
protocol ControlCommand: Command {
  /// What is asked.
  static var verb: ControlRequest.Verb { get }
}

extension ControlCommand {
  static var name: String { verb.rawValue }
  static var operands: String { "ID…" }
  static var options: [Option] { [Option.json] }
  static var notes: String {
    """
    - as ID reads ids from standard input. Only a job's owner and root may; without a daemon the
    request waits for one.
    """
  }

  /// Asks about the jobs that the operands name.
  static func ask(_ call: Call) throws -> ExitCode {
    try Control.ask(verb, of: try IdList.read(call.arguments.operands, command: name), call)
  }

  static func run(_ call: Call) throws -> ExitCode { try ask(call) }
}
