import Formats
import Glibc
import Processing
import Store

/// `nnjobs submit`: hands job files to the daemon, for good.
enum Submit: Command {
  static let name = "submit"
  static let summary = "hand job files to the daemon; prints their ids"
  static let operands = "FILE…"
  static let priority = Option(
    "priority", letter: "p", value: "NUMBER",
    "-1000 to 1000 instead of the document's; higher goes first")
  static let waits = Option("wait", "wait until the jobs have ended, as nnjobs wait does")
  static let dryRun = Option("dry-run", "only check them, as nnjobs check does")
  static let options = [priority, waits, dryRun, Option.json]
  static let notes = """
    Each file is examined first, and refused here with its reason if the daemon would refuse it.
    Files that it names ({"file": …}) are packed with it into one job file. What is printed survives
    a power cut. Without a daemon the file waits in the inbox.
    """
  /// How long a daemon may take to admit a file before its id is given up.
  private static let patience = 10.0

  static func run(_ call: Call) throws -> ExitCode {
    let files = call.arguments.operands
    if files.isEmpty { throw Complaint.missingOperand(command: name, operand: operands) }
    if call.arguments.has(dryRun) { return try Check.run(call) }
    let priority = try call.arguments.integer(priority, in: -1000...1000)
    let folders = try call.folders()
    if call.arguments.has(waits), !folders.isDaemonRunning {
      throw Complaint.noDaemon(verb: "wait for what is submitted", state: folders.state)
    }
    let machine = try MachineLimits.configured(call.environment)

    var code = ExitCode.done
    var ids: [Int64] = []
    var dropped: [(file: String, copy: DroppedCopy, row: Job?)] = []
    for file in files {
      do {
        let checked = try CheckedJob(file, results: folders.results, machine: machine)
        if let obstacle = checked.obstacle { throw obstacle }
        let job = checked.planned.jobFile
        let wanted = try checked.fileName(isPacked: job.hasReferences || priority != nil)
        let copy = try DroppedCopy(of: job, named: wanted, priority: priority, in: folders)
        let row = try admitted(copy, folders)
        dropped.append((file, copy, row))
        if let row {
          ids.append(row.id)
          if !call.has(.json) { try Output.standardOutput("\(row.id)\n") }
          if row.state == .refused { throw refusal(of: row, file: file) }
        } else {
          Report.note("\(copy.name) waits in \(folders.jobs): \(whyItWaits(folders))")
        }
      } catch {
        let complaint = Complaint(error)
        Report.complain(complaint)
        if code == .done { code = complaint.exitCode }
      }
    }
    if call.arguments.has(waits), !ids.isEmpty {
      let waited = try Wait.wait(for: ids, seconds: nil, call, isQuiet: true)
      if code == .done { code = waited }
    }
    if call.has(.json) {
      let store = ids.isEmpty ? nil : try folders.openStore()
      var list: [JSON] = []
      for (file, copy, row) in dropped {
        // As it is now, which after waiting is the end.
        let now: Job? =
          switch store {
          case .some(let store): try row.flatMap { try store.job($0.id) }
          case .none: row
          }
        list.append(entry(file, copy, now))
      }
      try Output.standardOutput(try JSON.document(["jobs": .list(list)]))
    }
    return code
  }

  /// The row of a dropped file, once there is one; nil without a daemon, or when its patience ends.
  private static func admitted(
    _ copy: DroppedCopy, _ folders: QueueFolders
  ) throws -> Job? {
    guard folders.isDaemonRunning else { return nil }
    let store = try folders.openStore()
    return try JobWatch.until(
      store, seconds: patience,
      look: { store in try store.job(inode: copy.inode, modified: copy.modified) })
  }

  private static func whyItWaits(_ folders: QueueFolders) -> String {
    folders.isDaemonRunning
      ? "the daemon has not come to it within \(Wording.duration(patience))"
      : "no daemon runs; start nnjobsd"
  }

  private static func refusal(of job: Job, file: String) -> Complaint {
    .refused(
      file: file, reason: Wording.visible(job.reasonText ?? "no reason given"),
      code: job.reasonCode.flatMap(JobError.Code.init(rawValue:)))
  }

  private static func entry(_ file: String, _ copy: DroppedCopy, _ job: Job?) -> JSON {
    .object([
      "file": .text(file), "name": .text(JobFileName(copy.name).job), "inbox": .text(copy.name),
      "id": job.map { .integer($0.id) } ?? .null, "state": .optional(job?.state.rawValue),
    ])
  }
}
