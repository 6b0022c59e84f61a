import Synchronization

/// Which blocks are done, counted from the first, and what they showed together.
///
/// To keep progress is to stop the count for a moment at one block: everything before it is done, and the sums, which take
/// blocks in order, hold back what comes from there on until it is kept. Threads otherwise go on.
final class Ledger<T: Scalar>: Sendable {
  private struct State {
    var done: ComputedBlocks
    /// Blocks that are done while one before them is not.
    var ahead: [Int: Numerics] = [:]
    /// The block at which progress is to be kept.
    var aim: Int?
    /// What was done at the aim, until it is kept.
    var reached: ComputedBlocks?
    /// Whether a thread keeps what is begun.
    var isKeeping = false
  }

  private let state: Mutex<State>
  private let sums: [OrderedSums<T>]
  private let keeper: (any ProgressKeeper)?
  private let start = ContinuousClock.now

  /// Goes on behind what was done before; `sums` are all sums of the job, with the same blocks in them.
  init(after before: ComputedBlocks, sums: [OrderedSums<T>], keeper: (any ProgressKeeper)?) {
    var done = before
    done.begun = nil
    state = Mutex(State(done: done))
    self.sums = sums
    self.keeper = keeper
  }

  /// What is done.
  var done: ComputedBlocks { state.withLock { $0.done } }

  /// Notes a block, and keeps what is done when it is time: at `next`, the first block that nobody has taken yet.
  ///
  /// `seconds` gives forward, backward and contraction so far.
  func finished(
    _ block: Int, _ numerics: Numerics, next: Int,
    seconds: () -> (forward: Double, backward: Double, contraction: Double)
  ) throws {
    note(block, numerics)
    if let keeper, keeper.isDue { aim(at: next) }
    try keepIfReached(seconds())
  }

  /// After a cancellation, when all threads have stopped: keeps what is done.
  func keepAtCancellation(
    _ seconds: (forward: Double, backward: Double, contraction: Double)
  ) throws {
    guard let keeper, keeper.isDueAtCancellation else { return }
    let done = self.done
    guard done.blocks > 0, sums.allSatisfy({ $0.isAt(block: done.blocks) }) else { return }
    try keep(done, seconds, keeper)
  }

  /// Whether it is time to keep what is begun.
  var isDue: Bool { keeper?.isDue ?? false }

  /// After all blocks of samples, from any thread: keeps what is done of what comes next, unless another thread does so.
  ///
  /// `begun` says how far it is, or nil; `seconds` are all so far.
  func keepBegun(
    _ begun: () -> BegunPart?,
    seconds: () -> (forward: Double, backward: Double, contraction: Double)
  ) throws {
    let isFree = state.withLock { state in
      defer { state.isKeeping = true }
      return !state.isKeeping
    }
    guard isFree else { return }
    defer { state.withLock { $0.isKeeping = false } }
    // Asked again, as another thread may just have done it.
    guard let keeper, keeper.isDue, let begun = begun() else { return }
    try keep(begun, seconds(), keeper)
  }

  /// After a cancellation, when all threads have stopped: keeps what is done of what is begun.
  func keepBegunAtCancellation(
    _ begun: BegunPart, _ seconds: (forward: Double, backward: Double, contraction: Double)
  ) throws {
    guard let keeper, keeper.isDueAtCancellation else { return }
    try keep(begun, seconds, keeper)
  }

  private func keep(
    _ begun: BegunPart, _ seconds: (forward: Double, backward: Double, contraction: Double),
    _ keeper: any ProgressKeeper
  ) throws {
    var done = self.done
    done.begun = begun
    try keep(done, seconds, keeper)
  }

  /// Adds what was seen beside the blocks.
  func add(_ numerics: Numerics) { state.withLock { $0.done.numerics.add(numerics) } }

  private func note(_ block: Int, _ numerics: Numerics) {
    state.withLock { state in
      state.ahead[block] = numerics
      while let next = state.ahead.removeValue(forKey: state.done.blocks) {
        state.done.numerics.add(next)
        state.done.blocks += 1
        if state.done.blocks == state.aim { state.reached = state.done }
      }
    }
  }

  private func aim(at block: Int) {
    state.withLock { state in
      guard state.aim == nil, block >= state.done.blocks else { return }
      for (number, sum) in sums.enumerated() where !sum.hold(at: block) {
        // A thread was faster: the next block tries again.
        for held in sums[..<number] { held.release() }
        return
      }
      state.aim = block
      if state.done.blocks == block { state.reached = state.done }
    }
  }

  private func keepIfReached(
    _ seconds: (forward: Double, backward: Double, contraction: Double)
  ) throws {
    let reached = state.withLock { state in
      defer { state.reached = nil }
      return state.reached
    }
    guard let reached, let keeper else { return }
    try keep(reached, seconds, keeper)
    state.withLock { $0.aim = nil }
    for sum in sums { sum.release() }
  }

  private func keep(
    _ blocks: ComputedBlocks,
    _ seconds: (forward: Double, backward: Double, contraction: Double),
    _ keeper: any ProgressKeeper
  ) throws {
    var blocks = blocks
    blocks.forward += seconds.forward
    blocks.backward += seconds.backward
    blocks.contraction += seconds.contraction
    blocks.wall += (ContinuousClock.now - start).inSeconds
    try keeper.keep(blocks) { write in for sum in sums { try sum.hand(to: write) } }
  }
}
