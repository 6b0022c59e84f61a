import CommandLineOptions
import Formats
import Glibc
import Jacobians
import Processing
import Store
import Synchronization

/// `nnjobs run`: computes a job file here and now, without a daemon.
enum Run: Command {
  static let name = "run"
  static let summary = "compute a job file here and now, without a daemon"
  static let operands = "FILE"
  static let output = Option(
    "output", letter: "o", value: "FOLDER",
    "where the result's folder is made; default results/ here")
  static let threads = Option("threads", letter: "t", value: "COUNT", "threads to compute with")
  static let options = [output, threads, Option.json]
  static let notes = """
    The result is the folder NAME in FOLDER, or NAME-2, NAME-3… when that is there already. Interrupted
    (control-C), it leaves nothing behind and ends with 130. A job of minutes on a machine that was
    never measured measures it first, as `nnjobs doctor --calibrate` does, and keeps that for later.
    """

  static func run(_ call: Call) throws -> ExitCode {
    guard let file = call.arguments.operands.first else {
      throw Complaint.missingOperand(command: name, operand: operands)
    }
    if call.arguments.operands.count > 1 {
      throw Complaint.unexpectedOperand(command: name, call.arguments.operands[1])
    }
    let results = call.arguments.value(output) ?? (try? call.folders().results) ?? "results"
    let threads = try call.arguments.integer(threads, in: 1...1024) ?? 0
    let interruption = Interruption()
    defer { interruption.end() }
    let bar = RunBar(try Terminal(2, call: call), interruption)
    let terminal = try Terminal(1, call: call)

    let published: ForegroundRun.Published
    do throws(JobError) {
      published = try ForegroundRun(
        path: file, results: results, threads: threads,
        profiles: ProfilePlace(environment: call.environment, state: (try? call.folders())?.state)
      ).run(monitor: bar, planned: { bar.planned($0) }, note: Report.note)
      bar.clear()
    } catch {
      bar.clear()
      throw error
    }
    let listing = try ResultListing(folder: published.folder)
    try Output.standardOutput(
      call.has(.json)
        ? try JSON.document(listing.members) : listing.text(terminal))
    return .done
  }
}

/// The bar on a terminal while a job is computed, and the way to stop it.
final class RunBar: AttemptMonitor {
  private struct State {
    var plannedBytes = 0
    var started = 0.0
    var lastShown = 0.0
  }

  private let terminal: Terminal
  private let interruption: Interruption
  private let state = Mutex(State())

  /// Prepares the bar; it stays away from what is no terminal.
  init(_ terminal: Terminal, _ interruption: Interruption) {
    self.terminal = terminal
    self.interruption = interruption
  }

  var isCancelled: Bool { interruption.happened }

  /// Takes down what is to be done.
  func planned(_ plan: JobPlan) {
    state.withLock {
      $0.plannedBytes = plan.resultBytes
      $0.started = Store.now
    }
  }

  func finished(blocks: Int, of total: Int) {
    guard let columns = terminal.columns, total > 0 else { return }
    let now = Store.now
    let line: String? = state.withLock { state in
      guard now - state.lastShown >= 0.1 else { return nil }
      state.lastShown = now
      let progress = JobProgress(
        fraction: Double(blocks) / Double(total), bytes: Int64(state.plannedBytes),
        elapsed: now - state.started)
      return progress.text(barColumns: min(40, max(10, columns - 40)))
    }
    if let line { Output.standardError("\r" + line.prefix(columns - 1) + "\u{1B}[K") }
  }

  /// Takes the bar away.
  func clear() {
    if terminal.columns != nil { Output.standardError("\r\u{1B}[K") }
  }
}
