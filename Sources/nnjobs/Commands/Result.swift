import CommandLineOptions
import Processing
import Store

/// `nnjobs result`: where a job's result is and what is in it.
enum Result: Command {
  static let name = "result"
  static let summary = "where a job's result is and what is in it"
  static let operands = "ID"
  static let folder = Option("folder", "only the folder's path")
  static let verify = Option(
    "verify", "read every array and compare it with its digest; 74 if one is not right")
  static let options = [folder, verify, Option.json]

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    guard let id = ids.first, ids.count == 1 else {
      throw Complaint.unexpectedOperand(command: name, call.arguments.operands[1])
    }
    let folders = try call.folders()
    guard let job = try folders.openStore().job(id) else { throw Complaint.noSuchJob(id) }
    guard job.state == .succeeded, let result = job.result else {
      if job.state.isFinal {
        throw Complaint.didNotSucceed(
          id: id, name: Wording.visible(job.name), state: job.state,
          reason: (job.reasonText ?? job.reasonCode).map(Wording.visible))
      }
      throw Complaint.notPossible(
        verb: "show the result of", id: id, state: job.state,
        remedy: "wait for it with `nnjobs wait \(id)`")
    }
    let path = "\(folders.results)/\(result)"
    if call.arguments.has(folder) {
      try Output.standardOutput(path + "\n")
      return .done
    }
    var listing = try ResultListing(folder: path)
    if call.arguments.has(verify) { listing.verify() }
    try Output.standardOutput(
      call.has(.json)
        ? try JSON.document(listing.members.merging(["id": .integer(id)]) { own, _ in own })
        : listing.text(try Terminal(1, call: call)))
    for damage in listing.damages { Report.note(damage) }
    return listing.damages.isEmpty ? .done : .inputOutput
  }
}
