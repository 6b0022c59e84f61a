import CommandLineOptions
import Formats
import Jacobians
import Processing

/// `nnjobs check`: says what a job file would compute and what that takes, and whether it fits.
enum Check: Command {
  static let name = "check"
  static let summary = "validate a job file and show its plan, and whether it fits"
  static let operands = "FILE…"
  static let options = [Option.json]
  static let notes = """
    It fits when the memory of its plan is within what jobs may use here, and its results within
    what is free where the queue's results are (without a queue: in the current folder). The time
    is that of this machine's profile where there is one; `nnjobs doctor --calibrate` makes it.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let files = call.arguments.operands
    if files.isEmpty { throw Complaint.missingOperand(command: name, operand: operands) }
    let results = (try? call.folders().results) ?? "."
    let machine = try MachineLimits.configured(call.environment)
    let profile = ProfilePlace(
      environment: call.environment, state: (try? call.folders())?.state
    ).profile
    let terminal = try Terminal(1, call: call)
    var code = ExitCode.done
    var list: [JSON] = []
    for file in files {
      do {
        let job = try CheckedJob(
          file, results: results, machine: machine, profile: profile)
        if call.has(.json) {
          list.append(PlanPage.json(job))
        } else {
          try Output.standardOutput(PlanPage.text(job, terminal))
          if file != files.last { try Output.standardOutput("\n") }
        }
        if let obstacle = job.obstacle { throw obstacle }
      } catch {
        let complaint = Complaint(error)
        Report.complain(complaint)
        if code == .done { code = complaint.exitCode }
      }
    }
    if call.has(.json) { try Output.standardOutput(try JSON.document(["jobs": .list(list)])) }
    return code
  }
}
