import CommandLineOptions
import Processing

/// `nnjobs release`: lets queued jobs start that are held, or were put off.
enum Release: Command {
  static let name = "release"
  static let summary = "let jobs start that are held or were put off"
  static let operands = "ID…"
  static let options = [Option.json]
  static let notes = """
    - as ID reads ids from standard input. Only a job's owner and root may; without a daemon the
    request waits for one.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try Control.ask(
      .release, of: try IdList.read(call.arguments.operands, command: name), call)
  }
}
