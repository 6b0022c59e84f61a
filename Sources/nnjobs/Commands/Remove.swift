import CommandLineOptions
import Processing

/// `nnjobs remove`: makes the queue forget jobs that have ended.
enum Remove: Command {
  static let name = "remove"
  static let summary = "forget jobs that have ended; their results stay unless told otherwise"
  static let operands = "ID…"
  static let withResults = Option("with-results", "remove their result folders too")
  static let options = [withResults, Option.json]
  static let notes = """
    - as ID reads ids from standard input. Their rows and what is left of their job files go, or the
    refused file; an id is never given again. Only a job's owner and root may; without a daemon the
    request waits for one. With --with-results an ID may be that of a forgotten job whose result is
    still there.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    return try Control.ask(call.arguments.has(withResults) ? .removeResult : .remove, of: ids, call)
  }
}
