import CommandLineOptions
import Processing

/// `nnjobs cancel`: ends jobs that wait or run.
enum Cancel: Command {
  static let name = "cancel"
  static let summary = "end jobs that wait or run"
  static let operands = "ID…"
  static let options = [Option.json]
  static let notes = """
    - as ID reads ids from standard input. Only a job's owner and root may; without a daemon the
    request waits for one.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try Control.ask(
      .cancel, of: try IdList.read(call.arguments.operands, command: name), call)
  }
}
