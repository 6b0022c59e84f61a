import Formats
import Glibc
import Processing
import Store

/// One case of a crash test: a way on a new queue, cut short at one call, a new start, and the judgement.
struct CrashCase {
  /// The way.
  let way: CrashWay
  /// The call at which its victim is killed, from 1; nil for an undisturbed run.
  let number: Int?
  /// Its queue, in a folder that is not there yet.
  let queue: CrashQueue
  /// The folder of nnjobs and nnjobsd.
  let programs: String
  /// What the programs find in their environment.
  let environment: [String: String]

  /// What became of a case.
  struct Outcome: Sendable {
    /// Calls of the victim that were counted.
    let calls: Int
    /// Where it was killed; nil when the way had ended before.
    let struck: String?
    /// What was not as promised.
    let faults: [String]
    /// The arrays of each result, by its job's name.
    let results: [String: [String: [UInt8]]]
  }

  /// Seconds until a program that should have ended counts as hanging.
  private static let patience = 60.0

  /// Where the programs' output goes: beside the queue's folder, so that it is no change there.
  var log: String { queue.folder + ".log" }

  /// Runs it; `reference` has the arrays of an undisturbed run, nil in that run itself.
  func run(reference: [String: [String: [UInt8]]]?) throws -> Outcome {
    try queue.make()
    try way.prepare(queue)
    let output = try Descriptor(opening: log, O_WRONLY | O_CREAT | O_APPEND)
    var watch = Watch(beneath: queue.folder, of: way.role, killingAt: number)
    let program = try watch.start(
      "\(programs)/\(way.isDaemon ? "nnjobsd" : "nnjobs")", way.words, environment: environment,
      log: output, isWatched: true)
    // Before the command has spoken, nothing of its own is expected.
    let acknowledged = way.expectations(isAcknowledged: true)
    var faults = finish(&watch, program, isDaemon: way.isDaemon, count: acknowledged.count)
    let end = watch.ends[program]
    let isStruck = watch.struck != nil
    if !(isStruck && way.role == .program), end != .exited(0), faults.isEmpty {
      faults.append("\(way.isDaemon ? "nnjobsd" : "nnjobs") \(sentence(of: end))")
    }
    let expected = way.expectations(isAcknowledged: way.isDaemon || end == .exited(0))
    if faults.isEmpty, !way.isDaemon || end != .exited(0) {
      let daemon = try watch.start(
        "\(programs)/nnjobsd", CrashWay.daemonWords, environment: environment, log: output,
        isWatched: false)
      faults += finish(
        &watch, daemon, isDaemon: true, count: expected.count { !$0.mayBeMissing })
      if faults.isEmpty, watch.ends[daemon] != .exited(0) {
        faults.append("nnjobsd, started again, \(sentence(of: watch.ends[daemon]))")
      }
    }
    faults += CrashJudge(reference: reference).faults(of: queue, expected)
    if way == .submit { faults += try ownFileFaults() }
    return Outcome(
      calls: watch.calls, struck: watch.struck, faults: faults,
      results: number == nil ? try results() : [:])
  }

  /// Goes on until everything has ended; a daemon is told to stop once its queue is settled.
  private func finish(
    _ watch: inout Watch, _ program: pid_t, isDaemon: Bool, count: Int
  ) -> [String] {
    let deadline = CrashCase.now + CrashCase.patience
    var nextLook = 0.0
    var isToldToStop = false
    while watch.goOn() {
      let now = CrashCase.now
      guard now >= nextLook else { continue }
      nextLook = now + 0.004
      guard now < deadline else {
        return ["after \(Int(CrashCase.patience)) s not everything has ended"]
      }
      // Once it holds its lock it is deaf to no signal, and its start puts right what there is before it ends.
      if isDaemon, !isToldToStop, watch.ends[program] == nil, queue.folders.isDaemonRunning,
        queue.isSettled(count: count)
      {
        isToldToStop = true
        kill(program, SIGTERM)
      }
    }
    return []
  }

  private func ownFileFaults() throws(SystemError) -> [String] {
    let file = try Descriptor(opening: "\(queue.folder)/\(CrashWay.ownFile)", O_RDONLY)
    let bytes = try file.read(count: try file.size(), at: 0)
    return bytes == Array(CrashJobs.succeeding.utf8) ? [] : ["the user's own file was changed"]
  }

  private func results() throws -> [String: [String: [UInt8]]] {
    var results: [String: [String: [UInt8]]] = [:]
    for job in try queue.rows() {
      if let result = job.result { results[job.name] = try queue.contents(of: result) }
    }
    return results
  }

  private func sentence(of end: ProcessEnd?) -> String {
    switch end {
    case .exited(let status): "ended with exit code \(status)"
    case let end?: end.sentence
    case nil: "did not end"
    }
  }

  private static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
