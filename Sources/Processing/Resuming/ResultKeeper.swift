import Dispatch
import Formats
import Jacobians
import Synchronization

/// Keeps what an attempt has done: its arrays are fsynced, then a record of how far they are takes the place of the last one.
final class ResultKeeper: ProgressKeeper {
  private let partial: PartialResult
  private let plan: JobPlan
  private let identity: ResultIdentity
  private let resumptions: [Resumption]
  private let earlierSeconds: Double
  /// Nanoseconds between two records; nil for none.
  private let interval: UInt64?
  private let isGivenBack: @Sendable () -> Bool
  private let start = DispatchTime.now().uptimeNanoseconds
  private let nextDue: Atomic<UInt64>
  /// The state that the record in force names, or the last one before.
  private let state: Mutex<KeptState?>

  /// Keeps progress every `interval` seconds, and when `isGivenBack` says that the daemon stops.
  init(
    _ partial: PartialResult, of plan: JobPlan, _ identity: ResultIdentity,
    after begun: BegunResult,
    interval: Double, isGivenBack: @escaping @Sendable () -> Bool
  ) {
    self.partial = partial
    self.plan = plan
    self.identity = identity
    resumptions = begun.resumptions
    earlierSeconds = begun.seconds
    self.interval = interval > 0 ? UInt64(interval * 1e9) : nil
    self.isGivenBack = isGivenBack
    nextDue = Atomic(start + (self.interval ?? 0))
    state = Mutex(begun.record?.content.state)
  }

  var isDue: Bool {
    interval != nil && DispatchTime.now().uptimeNanoseconds >= nextDue.load(ordering: .relaxed)
  }

  var isDueAtCancellation: Bool { interval != nil && isGivenBack() }

  func keep(_ computed: ComputedBlocks, sums: ByteParts, state: ByteParts) throws {
    let begun = DispatchTime.now().uptimeNanoseconds
    try partial.synchronizeFiles()
    var kept: KeptState?
    if computed.begun?.stateBytes ?? 0 > 0 {
      let number = (self.state.withLock { $0?.number } ?? 0) + 1
      kept = try KeptState.write(state, number: number, in: partial.folder)
      self.state.withLock { [kept] in $0 = kept }
    }
    try record(computed, arrays: try partial.done(plan.finishedNumbers(computed)), sums, kept)
    try KeptState.removeAll(from: partial.folder, but: kept)
    let now = DispatchTime.now().uptimeNanoseconds
    // Where the disk is slow, keeping takes no more than a twentieth of the time.
    nextDue.store(now + max(interval ?? 0, 20 * (now - begun)), ordering: .relaxed)
  }

  /// Writes down, before anything is computed, that this attempt goes on where another one stopped.
  func recordResumption(of record: ProgressRecord) throws {
    let sums = record.sums
    // Bytes as bytes: every bit pattern is a number, and none is missing.
    try self.record(
      record.content.computed, arrays: record.content.arrays,
      { write in try write(unsafe sums.span.bytes) }, record.content.state)
  }

  private func record(
    _ computed: ComputedBlocks, arrays: [ProgressRecord.ArrayProgress],
    _ sums: ByteParts, _ state: KeptState?
  ) throws {
    let content = ProgressRecord.Content(
      identity: identity, bootID: BootID.current, computed: computed, resumptions: resumptions,
      seconds: earlierSeconds + Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9,
      arrays: arrays, sumBytes: plan.sumBytes, sumDigest: try ArrayDigest(ofParts: sums),
      state: state)
    try ProgressRecord.write(content, in: partial.folder, sums: sums)
  }
}
