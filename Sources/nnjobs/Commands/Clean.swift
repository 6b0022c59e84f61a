import CommandLineOptions
import Formats
import Glibc
import Processing
import Store

/// `nnjobs clean`: forgets jobs that ended long enough ago.
enum Clean: Command {
  static let name = "clean"
  static let summary = "forget jobs that ended long ago; their results stay unless told otherwise"
  static let older = Option(
    "older", value: "AGE", "what ended so long ago or longer, as 30d; 0 for all that has ended")
  static let states = Option(
    "state", value: "STATES",
    "only these states, as succeeded,failed; a folder is the queue's state",
    choices: JobState.allCases.filter(\.isFinal).map(\.rawValue))
  static let user = Option("user", value: "NAME", "only this user's jobs")
  static let withResults = Option("with-results", "remove their result folders too")
  static let dryRun = Option("dry-run", "only say what would go")
  static let options = [older, states, user, withResults, dryRun, Option.json]
  static let notes = """
    Root cleans everybody's jobs, others their own. A running daemon does it, as if asked to remove
    each; without one the queue's owner and root do it at once, and others leave the request. Ends with
    2 when nothing is old enough. The daemon does the same by itself when it is configured to (keep).
    """
  /// How long the daemon may take for the next job before the command ends, in seconds.
  private static let patience = 3.0

  static func run(_ call: Call) throws -> ExitCode {
    try call.arguments.requireNoOperands(of: name)
    guard let text = call.arguments.value(older) else {
      throw Complaint.missingOperand(command: name, operand: "--older AGE")
    }
    guard let age = TimeSpan.parse(text) else {
      throw OptionError.wrongValue(option: "--older", value: text, expected: TimeSpan.forms)
    }
    let (states, stateFolder) = try Status.split(call.arguments.values(states))
    if let wrong = states.first(where: { !$0.isFinal }) {
      throw OptionError.wrongValue(
        option: "--state", value: wrong.rawValue,
        expected: "states that a job ends in; cancel jobs before they can be cleaned away")
    }
    let folders = try call.folders(state: stateFolder ?? call.globals.value(.state))
    let uid = try owner(call)
    let withResults = call.arguments.has(withResults)
    let due = try Retention(age: age, keepsResults: !withResults)
      .due(in: try folders.openStore(), states: states, uid: uid)
    if due.isEmpty {
      if call.has(.json) { try tell([], of: [], dryRun: false, withResults, call) }
      Report.note("nothing has ended that long ago")
      return .noSuchJob
    }
    if call.arguments.has(dryRun) {
      if !call.has(.json) {
        var names = UserNames()
        try Output.standardOutput(
          JobTable.text(
            due, names: &names, showsUsers: uid == nil, now: Store.now,
            terminal: try Terminal(1, call: call)))
      }
      try tell(due, of: due, dryRun: true, withResults, call)
      return .done
    }
    let isDirect = !folders.isDaemonRunning && Maintenance.isOwner(of: folders)
    let removed =
      isDirect
      ? try remove(due, withResults, folders) : try ask(to: due, withResults, folders)
    try tell(removed, of: due, dryRun: false, withResults, call)
    return .done
  }

  /// Whose jobs are meant; nil for everybody's.
  private static func owner(_ call: Call) throws -> UInt32? {
    guard let name = call.arguments.value(user) else { return call.isRoot ? nil : geteuid() }
    guard let uid = UserNames.uid(of: name) else {
      throw OptionError.wrongValue(
        option: "--user", value: name, expected: "the name or number of a user")
    }
    guard call.isRoot || uid == geteuid() else {
      throw Complaint.someoneElsesJobs(verb: Clean.name, owner: name)
    }
    return uid
  }

  /// Does it here, where no daemon can do it.
  private static func remove(
    _ jobs: [Job], _ withResults: Bool, _ folders: QueueFolders
  ) throws -> [Job] {
    let lock = try Maintenance.begin(folders)
    defer { withExtendedLifetime(lock) {} }
    let store = JobStore(try Store(opening: folders.store, access: .readWrite))
    let removal = JobRemoval(folders: folders, store: store)
    var removed: [Job] = []
    var failure: SystemError?
    for job in jobs {
      switch try removal.remove(job, withResult: withResults) {
      case .removed: removed.append(job)
      case .notEnded: break
      // The others can go all the same.
      case .stays(let error): failure = failure ?? error
      }
    }
    try store.record { (store) throws(StoreError) in try store.checkpoint() }
    if let failure { throw failure }
    return removed
  }

  /// Leaves a request about each job, and waits as long as the daemon gets on with them.
  private static func ask(
    to jobs: [Job], _ withResults: Bool, _ folders: QueueFolders
  ) throws -> [Job] {
    let verb: ControlRequest.Verb = withResults ? .removeResult : .remove
    for job in jobs { _ = try ControlFile(ControlRequest(verb, job.id), in: folders) }
    guard folders.isDaemonRunning else { return [] }
    let store = try folders.openStore()
    var removed: [Job] = []
    for job in jobs {
      let isGone: Bool? = try JobWatch.until(
        store, seconds: patience,
        look: { store in try store.job(job.id) == nil ? true : nil })
      if isGone == nil { break }
      removed.append(job)
    }
    return removed
  }

  private static func tell(
    _ removed: [Job], of due: [Job], dryRun: Bool, _ withResults: Bool, _ call: Call
  ) throws {
    let bytes = withResults ? removed.reduce(0) { $0 + ($1.result == nil ? 0 : $1.bytes) } : 0
    if call.has(.json) {
      let ids: ([Job]) -> JSON = { .list($0.map { .integer($0.id) }) }
      let gone = Set(removed.map(\.id))
      try Output.standardOutput(
        try JSON.document([
          "removed": ids(dryRun ? [] : removed), "due": ids(dryRun ? due : []),
          "asked": ids(dryRun ? [] : due.filter { !gone.contains($0.id) }),
          "bytes": .integer(bytes),
        ]))
      return
    }
    var text = ""
    if !removed.isEmpty {
      text += dryRun ? "would remove " : "removed "
      text += Wording.count(removed.count, "job")
      text +=
        withResults
        ? ", and of their results \(Wording.bytes(bytes))" : "; results stay"
      text += "\n"
    }
    if !dryRun, removed.count < due.count {
      let rest = Wording.count(due.count - removed.count, "job")
      text += "asked the daemon to remove \(rest) more, as soon as it comes to it\n"
    }
    try Output.standardOutput(text)
  }
}
