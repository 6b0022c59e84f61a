import CommandLineOptions
import Processing
import Store

/// `nnjobs logs`: what happened to a job.
enum Logs: Command {
  static let name = "logs"
  static let summary =
    "what happened to a job: starts, ends of attempts, requests, its worker's words"
  static let operands = "ID"
  static let options = [Option.json]
  static let notes = """
    A line for each event, with its time. What a worker writes to its standard error is told when its
    attempt has ended. A job's log has 64 KiB at most, is for people, and goes when the job is removed.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    guard let id = ids.first, ids.count == 1 else {
      throw Complaint.unexpectedOperand(command: name, String(ids[1]))
    }
    let folders = try call.folders()
    let job = try call.visibleJob(id, in: folders.openStore())
    var lines = [(time: job.submitted, text: admission(of: job))]
    lines += try JobLog(folders).lines(of: id).map { ($0.time, $0.text) }
    if call.has(.json) {
      let list = lines.map { line in
        JSON.object(["time": .text(Wording.utc(line.time)), "text": .text(line.text)])
      }
      try Output.standardOutput(
        try JSON.document(["id": .integer(id), "lines": .list(list)]))
      return .done
    }
    let terminal = try Terminal(1, call: call)
    try Output.standardOutput(
      lines.map { line in
        terminal.text(Wording.local(line.time), .faint) + "  \(Wording.visible(line.text))\n"
      }.joined())
    return .done
  }

  /// What the row says of the beginning.
  private static func admission(of job: Job) -> String {
    var names = UserNames()
    let user = names.name(of: job.uid)
    return job.state == .refused
      ? "refused, dropped by \(user): \(job.reasonText ?? "no reason given")"
      : "admitted as \(job.name), dropped by \(user)"
  }
}
