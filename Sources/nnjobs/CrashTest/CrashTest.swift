import Dispatch
import Formats
import Glibc
import Jacobians
import Processing
import Synchronization

/// Kills this program's daemon, worker and commands at every file-changing call of every way, on a file system of the user's.
final class CrashTest: Sendable {
  /// What came of one way.
  struct Tally: Sendable {
    /// The way.
    let way: CrashWay
    /// File-changing calls of its victim in the undisturbed run.
    let calls: Int
    /// How often it was killed.
    var kills = 0
    /// The cases that did not end as they must, in order of their calls.
    var failures: [Failure] = []
  }

  /// A case that did not end as it must.
  struct Failure: Sendable {
    /// The call at which the victim was killed, from 1; 0 in an undisturbed run.
    let number: Int
    /// That call and its file.
    let call: String
    /// What was not as promised.
    let faults: [String]
    /// The queue's folder, which is kept; beside it, with `.log` behind it, is what its programs said.
    let kept: String
  }

  /// The hidden folder in which everything happens, a real path.
  let folder: String
  private let programs: String
  private let environment: [String: String]
  private let limit: Int?
  private let interruption = Interruption()

  /// Makes the hidden folder beneath `parent`; `limit` is how many kills a way has at most, nil for every call.
  init(beneath parent: String, limit: Int?, environment: [String: String]) throws(SystemError) {
    let own = try CrashTest.realPath("/proc/self/exe")
    let programs = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    try SystemCall.retrying("start", "\(programs)/nnjobsd") {
      unsafe access("\(programs)/nnjobsd", X_OK)
    }
    self.programs = programs
    folder = "\(try CrashTest.realPath(parent))/.nnjobs-crash-test-\(getpid())"
    self.limit = limit
    self.environment = CrashTest.environment(from: environment)
    try FolderTree.make(folder)
  }

  /// Whether the user wanted to end meanwhile.
  var isInterrupted: Bool { interruption.happened }

  /// Takes the folder away.
  func removeFolder() { FolderTree.remove(folder) }

  /// Runs one way; `progress` hears after each case how many of how many are done, and how many failed.
  func run(_ way: CrashWay, progress: @Sendable (Int, Int, Int) -> Void) throws -> Tally {
    let undisturbed = try run(case: crashCase(way, nil), reference: nil)
    let calls = undisturbed.outcome.calls
    var tally = Tally(way: way, calls: calls)
    if let failure = undisturbed.failure {
      tally.failures.append(failure)
      return tally
    }
    let reference = undisturbed.outcome.results
    let numbers = CrashTest.spread(calls, limit: limit)
    let state = Mutex(State(tally: tally))
    DispatchQueue.concurrentPerform(iterations: MachineLimits.ofThisMachine().cores) { _ in
      while true {
        let index = state.withLock { state -> Int? in
          guard state.error == nil, state.next < numbers.count, !isInterrupted else { return nil }
          state.next += 1
          return state.next - 1
        }
        guard let index else { return }
        let result = Swift.Result {
          try run(case: crashCase(way, numbers[index]), reference: reference)
        }
        state.withLock { state in
          state.take(result)
          progress(state.done, numbers.count, state.tally.failures.count)
        }
      }
    }
    var (last, error) = state.withLock { ($0.tally, $0.error) }
    if let error { throw error }
    // A run may have a few calls more than the undisturbed one: on until one runs through.
    var number = calls + 1
    while limit == nil, !isInterrupted {
      let next = try run(case: crashCase(way, number), reference: reference)
      if let failure = next.failure { last.failures.append(failure) }
      guard next.outcome.struck != nil else { break }
      last.kills += 1
      number += 1
    }
    last.failures.sort { $0.number < $1.number }
    return last
  }

  /// What the threads share.
  private struct State: Sendable {
    var tally: Tally
    var next = 0
    var done = 0
    var error: (any Error)?

    mutating func take(
      _ result: Swift.Result<(outcome: CrashCase.Outcome, failure: Failure?), any Error>
    ) {
      done += 1
      switch result {
      case .success(let ended):
        if ended.outcome.struck != nil { tally.kills += 1 }
        if let failure = ended.failure { tally.failures.append(failure) }
      case .failure(let failed): error = error ?? failed
      }
    }
  }

  private func crashCase(_ way: CrashWay, _ number: Int?) -> CrashCase {
    CrashCase(
      way: way, number: number,
      queue: CrashQueue(in: "\(folder)/\(way)-\(number.map { "\($0)" } ?? "undisturbed")"),
      programs: programs, environment: environment)
  }

  /// Runs a case; its folder and log go when it ended as it must.
  private func run(
    case crashCase: CrashCase, reference: [String: [String: [UInt8]]]?
  ) throws -> (outcome: CrashCase.Outcome, failure: Failure?) {
    let outcome = try crashCase.run(reference: reference)
    guard outcome.faults.isEmpty else {
      let failure = Failure(
        number: crashCase.number ?? 0, call: outcome.struck ?? "", faults: outcome.faults,
        kept: crashCase.queue.folder)
      return (outcome, failure)
    }
    FolderTree.remove(crashCase.queue.folder)
    FolderTree.remove(crashCase.log)
    return (outcome, nil)
  }

  /// `limit` numbers of 1 to `count`, evenly spread, the first and the last among them; all where that is fewer.
  static func spread(_ count: Int, limit: Int?) -> [Int] {
    guard let limit, limit < count else { return Array(1..<count + 1) }
    guard limit > 1 else { return [1] }
    return (0..<limit).map { 1 + $0 * (count - 1) / (limit - 1) }
  }

  /// The caller's, without what leads to a queue or a service manager; the same kernels for every run.
  private static func environment(from environment: [String: String]) -> [String: String] {
    var settings = environment.filter { name, _ in
      !name.hasPrefix("NNJOBS_")
        && !["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].contains(name)
    }
    settings["NNJOBS_CONFIG"] = "/dev/null"
    if settings[BLAS.kernelVariable]?.isEmpty ?? true {
      settings[BLAS.kernelVariable] = BLAS.usualKernel
    }
    return settings
  }

  private static func realPath(_ path: String) throws(SystemError) -> String {
    guard let real = unsafe realpath(path, nil) else {
      throw SystemError(call: "find", object: path, code: errno)
    }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
