import CLinux
import Formats
import Jacobians

/// A partial result that an attempt begins with: a new one, or what an earlier attempt of the same job kept.
struct BegunResult: Sendable {
  /// The folder of this attempt.
  let partial: PartialResult
  /// What is in it already.
  let before: ComputedBefore
  /// The attempts that went on where another had stopped, this one included.
  let resumptions: [Resumption]
  /// Seconds of earlier attempts until what they kept.
  let seconds: Double
  /// What was adopted.
  let record: ProgressRecord?

  /// Takes over what the newest earlier attempt kept, if that is of the same job file, program and plan, and as it was;
  /// otherwise makes a new folder. What no attempt will take over is removed.
  static func begin(
    _ order: WorkOrder, _ plan: JobPlan, _ identity: ResultIdentity
  ) throws(SystemError) -> BegunResult {
    var adopted: BegunResult?
    for folder in earlier(than: order) where FolderTree.isThere(folder) {
      if adopted == nil { adopted = adopt(folder, order, plan, identity) }
      FolderTree.remove(folder)
    }
    if let adopted { return adopted }
    return BegunResult(
      partial: try PartialResult(
        folder: order.partial, arrays: plan.arrays, dtype: plan.dtype, readers: order.readers),
      before: .nothing, resumptions: [], seconds: 0, record: nil)
  }

  /// Where earlier attempts of the same job wrote, the last one first.
  private static func earlier(than order: WorkOrder) -> [String] {
    guard order.id != 0, let dash = order.partial.lastIndex(of: "-") else { return [] }
    return (1..<order.attempt).reversed().map { "\(order.partial[...dash])\($0)" }
  }

  private static func adopt(
    _ folder: String, _ order: WorkOrder, _ plan: JobPlan, _ identity: ResultIdentity
  ) -> BegunResult? {
    guard let record = ProgressRecord(in: folder, sumBytes: plan.sumBytes),
      record.content.identity == identity
    else { return nil }
    let content = record.content
    let computed = content.computed
    guard plan.isPossible(computed),
      content.state?.bytes ?? 0 == computed.begun?.stateBytes ?? 0,
      content.arrays.map({ $0.runs.map(\.numbers) }) == plan.finishedNumbers(computed),
      unsafe nnjobs_rename_noreplace(folder, order.partial) == 0,
      let partial = try? PartialResult(
        adopting: order.partial, arrays: plan.arrays, dtype: plan.dtype, done: content.arrays,
        isTrusted: content.bootID == BootID.current)
    else { return nil }
    do {
      try content.state?.check(in: order.partial)
      try KeptState.removeAll(from: order.partial, but: content.state)
    } catch { return nil }
    let before = ComputedBefore(
      blocks: computed, sums: record.sums,
      results: EarlierAttempt(partial: partial, state: content.state))
    return BegunResult(
      partial: partial, before: before,
      resumptions: content.resumptions
        + [Resumption(attempt: order.attempt, blocks: plan.blocks(computed))],
      seconds: content.seconds, record: record)
  }
}
