import CommandLineOptions
import Glibc
import Processing
import Store

/// `nnjobs fsck`: whether the queue's files and its store agree, and what to do where they do not.
enum Fsck: Command {
  static let name = "fsck"
  static let summary = "compare the queue's files with its store; repair or rebuild it"
  static let repair = Option("repair", "put right what can be, while no daemon runs")
  static let rebuild = Option(
    "rebuild", "make the store anew from the files, while no daemon runs")
  static let options = [repair, rebuild, Option.json]
  static let notes = """
    Without an option it only reads; a daemon may run meanwhile. Each finding names its cure. Ends with
    0 when nothing is left to put right, otherwise with 1. --rebuild keeps the old store aside as
    store.sqlite.kept-DATE, takes over every row that can still be read, and makes the others again
    from results/, claimed and refused files; ids go on behind every one that was ever seen.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try call.arguments.requireNoOperands(of: name)
    let folders = try call.folders()
    try Maintenance.requireOwner(of: folders, to: "check")
    if call.arguments.has(rebuild) { return try rebuild(folders, call) }
    if call.arguments.has(repair) { return try repair(folders, call) }
    let (findings, extent) = try look(at: folders, isServed: folders.isDaemonRunning)
    try tell(findings, extent, repaired: [], call)
    return findings.isEmpty ? .done : .jobFailed
  }

  /// Looks; while a daemon works, what is found is looked for twice more, and only what stays counts.
  private static func look(
    at folders: QueueFolders, isServed: Bool
  ) throws -> (findings: [Finding], extent: QueueCheck.Extent) {
    let check = QueueCheck(folders, isServed: isServed)
    let store = try Store(
      opening: folders.store, access: .readOnly(daemonIsRunning: isServed))
    try store.check()
    var (findings, extent) = try check.findings(in: store)
    var looks = 1
    while isServed, !findings.isEmpty, looks < 3 {
      usleep(300_000)
      let again = try check.findings(in: store)
      let still = Set(again.findings)
      findings.removeAll { !still.contains($0) }
      extent = again.extent
      looks += 1
    }
    return (findings, extent)
  }

  private static func repair(_ folders: QueueFolders, _ call: Call) throws -> ExitCode {
    let lock = try Maintenance.begin(folders)
    defer { withExtendedLifetime(lock) {} }
    let before = try look(at: folders, isServed: false).findings
    for finding in before { try finding.repair(in: folders) }
    try recover(folders, call)
    let (after, extent) = try look(at: folders, isServed: false)
    let left = Set(after)
    try tell(after, extent, repaired: before.filter { !left.contains($0) }, call)
    return after.isEmpty ? .done : .jobFailed
  }

  private static func rebuild(_ folders: QueueFolders, _ call: Call) throws -> ExitCode {
    let lock = try Maintenance.begin(folders)
    defer { withExtendedLifetime(lock) {} }
    let outcome = try StoreRebuild(folders).run()
    try recover(folders, call)
    let (findings, extent) = try look(at: folders, isServed: false)
    if call.has(.json) {
      try Output.standardOutput(
        try JSON.document([
          "kept": .optional(outcome.kept), "salvaged": .integer(outcome.salvaged),
          "restored": .integer(outcome.restored), "jobs": .integer(extent.jobs),
          "reserved": .integer(outcome.reserved), "findings": .list(findings.map(json)),
        ]))
    } else {
      try Output.standardOutput(
        "\(folders.store) is made anew: \(Wording.count(extent.jobs, "job")), \(outcome.salvaged) of them from the "
          + "old store, \(outcome.restored) from results; "
          + (outcome.kept.map { "the old store is \($0)" } ?? "there was no old store") + "\n")
      try tell(findings, extent, repaired: [], call)
    }
    return findings.isEmpty ? .done : .jobFailed
  }

  /// Does what the daemon's start does.
  private static func recover(_ folders: QueueFolders, _ call: Call) throws {
    let store = JobStore(try Store(opening: folders.store, access: .readWrite))
    let admission = Admission(
      folders: folders, machine: try MachineLimits.configured(call.environment))
    _ = try Recovery(
      admission: admission, store: store, commit: JobCommit(folders: folders, store: store),
      bootID: BootID.current, log: { Report.note($0) }
    ).run()
    try store.record { (store) throws(StoreError) in try store.checkpoint() }
  }

  private static func tell(
    _ findings: [Finding], _ extent: QueueCheck.Extent, repaired: [Finding], _ call: Call
  ) throws {
    if call.has(.json) {
      try Output.standardOutput(
        try JSON.document([
          "findings": .list(findings.map(json)), "repaired": .list(repaired.map(json)),
          "jobs": .integer(extent.jobs), "results": .integer(extent.results),
          "claimed": .integer(extent.claimed), "unowned_results": .integer(extent.unownedResults),
        ]))
      return
    }
    var text = ""
    for finding in repaired { text += "repaired: \(Wording.visible(finding.sentence))\n" }
    for finding in findings {
      text += Wording.visible("\(finding.sentence); \(finding.remedy)") + "\n"
    }
    text +=
      findings.isEmpty
      ? "nothing to put right" : "\(findings.count) to put right"
    text +=
      ": \(Wording.count(extent.jobs, "job")), \(Wording.count(extent.results, "result")), "
      + Wording.count(extent.claimed, "claimed file")
    if extent.unownedResults > 0 {
      text += "; \(Wording.count(extent.unownedResults, "result")) of no job in the store, no fault"
    }
    try Output.standardOutput(text + "\n")
  }

  private static func json(_ finding: Finding) -> JSON {
    .object([
      "kind": .text(finding.kind.rawValue), "path": .text(finding.path),
      "text": .text(finding.sentence), "cure": .text(finding.remedy),
    ])
  }
}
