import CommandLineOptions
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
    // Before its first daemon a queue is the caller's own.
    let limits = QueueLimits(
      try Configuration(environment: call.environment),
      daemonUser: unsafe access(folders.state, F_OK) == 0
        ? FolderTree.owner(of: folders.state) : geteuid())

    var code = ExitCode.done
    func complain(_ error: any Error) {
      let complaint = Complaint(error)
      Report.complain(complaint)
      if code == .done { code = complaint.exitCode }
    }
    // All are dropped before the first is waited for: the daemon admits them together.
    var dropped: [Dropped] = []
    for file in files {
      do {
        let checked = try CheckedJob(file, results: folders.results, machine: machine)
        try checked.checkAdmission(under: limits)
        let job = checked.planned.jobFile
        let wanted = try checked.fileName(isPacked: job.hasReferences || priority != nil)
        let copy = try DroppedCopy(of: job, named: wanted, priority: priority, in: folders)
        dropped.append(Dropped(file: file, copy: copy))
      } catch { complain(error) }
    }
    try findRows(of: &dropped, folders)
    for one in dropped {
      if let row = one.row {
        if !call.has(.json) { try Output.standardOutput("\(row.id)\n") }
        if row.state == .refused { complain(refusal(of: row, file: one.file)) }
      } else {
        Report.note("\(one.copy.name) waits in \(folders.jobs): \(whyItWaits(folders))")
      }
    }
    let ids = dropped.compactMap { $0.row?.state == .refused ? nil : $0.row?.id }
    if call.arguments.has(waits), !ids.isEmpty {
      let waited = try Wait.wait(for: ids, seconds: nil, call, isQuiet: true)
      if code == .done { code = waited }
      // What is told of them is how they ended.
      let store = try folders.openStore()
      for index in dropped.indices {
        if let id = dropped[index].row?.id { dropped[index].row = try store.job(id) }
      }
    }
    if call.has(.json) {
      try Output.standardOutput(try JSON.document(["jobs": .list(dropped.map(\.json))]))
    }
    return code
  }

  /// One file that is in the inbox for good, and its row once there is one.
  private struct Dropped {
    let file: String
    let copy: DroppedCopy
    var row: Job?

    var json: JSON {
      .object([
        "file": .text(file), "name": .text(JobFileName(copy.name).job), "inbox": .text(copy.name),
        "id": row.map { .integer($0.id) } ?? .null, "state": .optional(row?.state.rawValue),
      ])
    }
  }

  /// Waits for the rows of what was dropped; not without a daemon, and not beyond its patience.
  private static func findRows(of dropped: inout [Dropped], _ folders: QueueFolders) throws {
    guard !dropped.isEmpty, folders.isDaemonRunning else { return }
    let store = try folders.openStore()
    var seconds = patience
    for index in dropped.indices {
      let copy = dropped[index].copy
      dropped[index].row = try JobWatch.until(
        store, seconds: seconds,
        look: { store in try store.job(inode: copy.inode, modified: copy.modified) })
      // Once a row has not come in time, the others are only looked for.
      if dropped[index].row == nil { seconds = 0 }
    }
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
}
