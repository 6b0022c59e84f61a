import CommandLineOptions
import Processing
import Store

/// `nnjobs follow`: how a job gets on, until it has ended.
enum Follow: Command {
  static let name = "follow"
  static let summary = "show how a job gets on, until it has ended"
  static let operands = "ID"
  static let options = [Option.json]
  static let notes = """
    A line for each change of its state; while it runs, a bar with the rate of its result and the time
    left on a terminal, otherwise a line at every tenth of the way. With --json each line is one object.
    Ends as nnjobs wait does: with 0 when the job succeeded, with 1 otherwise.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    guard let id = ids.first, ids.count == 1 else {
      throw Complaint.unexpectedOperand(command: name, String(ids[1]))
    }
    let folders = try call.folders()
    let store = try folders.openStore()
    let bar = FollowBar(try Terminal(2, call: call))
    defer { bar.clear() }
    _ = try call.visibleJob(id, in: store)
    var told: Told?
    var saysNoDaemon = !folders.isDaemonRunning
    let ended: Job? = try JobWatch.until(
      store, seconds: nil,
      idle: {
        guard saysNoDaemon else { return }
        bar.clear()
        Report.note("no daemon runs; the job waits for one")
        saysNoDaemon = false
      },
      look: { store in
        guard let job = try store.job(id) else { throw Complaint.noSuchJob(id) }
        let now = Store.now
        let news = Told(job, showsProgress: !bar.isShown)
        if news != told {
          bar.clear()
          try tell(job, now: now, folders, call)
          told = news
        }
        bar.show(job, now: now)
        return job.state.isFinal ? job : nil
      })
    bar.clear()
    guard let ended, ended.state != .succeeded else { return .done }
    Report.complain(
      .didNotSucceed(
        id: id, name: Wording.visible(ended.name), state: ended.state,
        reason: (ended.reasonText ?? ended.reasonCode).map(Wording.visible)))
    return .jobFailed
  }

  /// What a line was written about: nothing is said twice.
  private struct Told: Hashable {
    let state: JobState
    let attempts: Int
    let tenth: Int

    init(_ job: Job, showsProgress: Bool) {
      state = job.state
      attempts = job.attempts
      tenth = showsProgress && job.state == .running ? Int(job.progress * 10) : 0
    }
  }

  private static func tell(
    _ job: Job, now: Double, _ folders: QueueFolders, _ call: Call
  ) throws {
    if call.has(.json) {
      var names = UserNames()
      let object = JobJSON.object(
        job, user: names.name(of: job.uid), resultsFolder: folders.results, now: now)
      return try Output.standardOutput(try JSON.document(["job": object]))
    }
    let subject = "job \(job.id) (\(Wording.visible(job.name)))"
    try Output.standardOutput("\(subject) \(sentence(job, now, folders))\n")
  }

  private static func sentence(_ job: Job, _ now: Double, _ folders: QueueFolders) -> String {
    switch job.state {
    case .running:
      guard let progress = JobProgress(job, now: now), progress.fraction > 0 else {
        return "runs, attempt \(job.attempts)"
      }
      return progress.words
    case .succeeded:
      return "has succeeded" + (job.result.map { ": \(folders.results)/\($0)" } ?? "")
    case .queued, .failed, .cancelled, .refused:
      return "\(Wording.verb(of: job.state)) \(job.state.rawValue)"
    }
  }
}

/// The bar on a terminal while a job is followed.
struct FollowBar: Sendable {
  private let terminal: Terminal

  /// Prepares the bar; it stays away from what is no terminal.
  init(_ terminal: Terminal) { self.terminal = terminal }

  /// Whether there is one.
  var isShown: Bool { terminal.columns != nil }

  /// Shows how far a running job is.
  func show(_ job: Job, now: Double) {
    guard let columns = terminal.columns, let progress = JobProgress(job, now: now) else { return }
    let line = progress.text(barColumns: min(40, max(10, columns - 40)))
    Output.standardError("\r" + line.prefix(columns - 1) + "\u{1B}[K")
  }

  /// Takes the bar away.
  func clear() {
    if isShown { Output.standardError("\r\u{1B}[K") }
  }
}
