import CommandLineOptions
import Processing

/// `nnjobs hold`: keeps queued jobs from starting until they are released.
enum Hold: Command {
  static let name = "hold"
  static let summary = "keep queued jobs from starting until they are released"
  static let operands = "ID…"
  static let options = [Option.json]
  static let notes = """
    - as ID reads ids from standard input. Only a job's owner and root may; without a daemon the
    request waits for one.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try Control.ask(
      .hold, of: try IdList.read(call.arguments.operands, command: name), call)
  }
}
