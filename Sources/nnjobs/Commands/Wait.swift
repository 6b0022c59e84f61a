import CommandLineOptions
import Processing
import Store

/// `nnjobs wait`: blocks until jobs have ended.
enum Wait: Command {
  static let name = "wait"
  static let summary = "wait until jobs have ended; not zero if any did not succeed"
  static let operands = "ID…"
  static let timeout = Option("timeout", value: "TIME", "wait so long at most, as 90, 10m or 2h")
  static let options = [timeout, Option.json]
  static let notes = """
    - as ID reads ids from standard input. On a terminal it shows how the jobs get on.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    var seconds: Double?
    if let text = call.arguments.value(timeout) {
      guard let given = TimeSpan.parse(text) else {
        throw OptionError.wrongValue(
          option: "--timeout", value: text, expected: TimeSpan.forms)
      }
      seconds = given
    }
    return try wait(for: ids, seconds: seconds, call)
  }

  /// Waits, says what did not succeed, and gives the exit code; quiet, it writes no JSON of its own.
  static func wait(
    for ids: [Int64], seconds: Double?, _ call: Call, isQuiet: Bool = false
  ) throws -> ExitCode {
    let folders = try call.folders()
    let store = try folders.openStore()
    for id in ids {
      guard try store.job(id) != nil else { throw Complaint.noSuchJob(id) }
    }
    let line = WaitLine(try Terminal(2, call: call))
    defer { line.clear() }
    var open = ids
    var ended: [Int64: Job] = [:]
    var saysNoDaemon = !folders.isDaemonRunning
    let isOver: Bool? = try JobWatch.until(
      store, seconds: seconds,
      idle: {
        if saysNoDaemon {
          Report.note("no daemon runs; the jobs wait for one")
          saysNoDaemon = false
        }
        line.show(open, ended.count, of: ids.count, in: store)
      },
      look: { store in
        for id in open {
          guard let job = try store.job(id) else { throw Complaint.noSuchJob(id) }
          if job.state.isFinal { ended[id] = job }
        }
        open.removeAll { ended[$0] != nil }
        return open.isEmpty ? true : nil
      })
    line.clear()

    if call.has(.json), !isQuiet {
      var names = UserNames()
      let jobs = try ids.compactMap { try ended[$0] ?? store.job($0) }.map { job in
        JobJSON.object(
          job, user: names.name(of: job.uid), resultsFolder: folders.results, now: Store.now)
      }
      try Output.standardOutput(try JSON.document(["jobs": .list(jobs)]))
    }
    var code = ExitCode.done
    for job in ids.compactMap({ ended[$0] }) where job.state != .succeeded {
      Report.complain(
        .didNotSucceed(
          id: job.id, name: Wording.visible(job.name), state: job.state,
          reason: (job.reasonText ?? job.reasonCode).map(Wording.visible)))
      code = .jobFailed
    }
    if isOver == nil { throw Complaint.timedOut(open, seconds: seconds ?? 0) }
    return code
  }
}

/// The line on a terminal that tells what a waiter waits for.
struct WaitLine: Sendable {
  private let terminal: Terminal

  /// Prepares the line; it stays away from what is no terminal.
  init(_ terminal: Terminal) { self.terminal = terminal }

  /// Shows how many have ended, and the first that runs.
  func show(_ open: [Int64], _ ended: Int, of count: Int, in store: borrowing Store) {
    guard let columns = terminal.columns else { return }
    var text = count == 1 ? "" : "\(ended) of \(count) ended"
    let wanted = Set(open)
    // A line that cannot be read leaves the last one standing.
    guard let running = try? store.running() else { return }
    if let job = running.first(where: { wanted.contains($0.id) }) {
      text += (text.isEmpty ? "" : "; ") + "job \(job.id) (\(Wording.visible(job.name))) "
      text += JobProgress(job, now: Store.now)?.text() ?? "runs"
    } else {
      text += (text.isEmpty ? "" : "; ") + "queued"
    }
    Output.standardError("\r" + text.prefix(columns - 1) + "\u{1B}[K")
  }

  /// Takes the line away.
  func clear() {
    if terminal.columns != nil { Output.standardError("\r\u{1B}[K") }
  }
}
