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
    /// The blocks that are kept.
    var kept: Int

    /// The next block is done.
    mutating func advance(_ numerics: Numerics) {
      done.numerics.add(numerics)
      done.blocks += 1
      if done.blocks == aim { reached = done }
    }
  }

  private let state: Mutex<State>
  private let sums: [OrderedSums<T>]
  private let keeper: (any ProgressKeeper)?
  private let start = ContinuousClock.now

  /// Goes on behind what was done before; `sums` are all sums of the job, with the same blocks in them.
  init(after before: ComputedBlocks, sums: [OrderedSums<T>], keeper: (any ProgressKeeper)?) {
    var done = before
    done.begun = nil
    state = Mutex(State(done: done, kept: before.blocks))
    self.sums = sums
    self.keeper = keeper
  }

  /// How many arrays of sums there are.
  var sumCount: Int { sums.count }

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

  /// After a cancellation, when all threads have stopped: keeps what is done, unless that or more is kept.
  func keepAtCancellation(
    _ seconds: (forward: Double, backward: Double, contraction: Double)
  ) throws {
    guard let keeper, keeper.isDueAtCancellation else { return }
    let (done, kept) = state.withLock { ($0.done, $0.kept) }
    guard done.blocks > kept, sums.allSatisfy({ $0.isAt(block: done.blocks) }) else { return }
    try keep(done, seconds, keeper)
  }

  /// Whether it is time to keep what is begun.
  var isDue: Bool { keeper?.isDue ?? false }

  /// Whether what is begun is to be kept when the computation is cancelled.
  var isDueAtCancellation: Bool { keeper?.isDueAtCancellation ?? false }

  /// Keeps how far the first block is that is not done, if that is `block` and nothing else is being kept.
  ///
  /// Called by a thread that works on it, when it is time; `begun` says how far it is. Sums are kept if they have the shares of just
  /// the blocks before `next`, one number for each of them, and hold back others meanwhile.
  func keepBegun(
    of block: Int, next: [Int], _ begun: () -> BegunPart,
    seconds: () -> (forward: Double, backward: Double, contraction: Double),
    state numbers: ByteParts = { _ in }
  ) throws {
    guard let keeper else { return }
    let isFree = state.withLock { state in
      guard !state.isKeeping, state.done.blocks == block else { return false }
      // What was aimed at and is reached is being kept by another thread.
      if let aim = state.aim, aim <= block || !sums.isEmpty { return false }
      for (number, sum) in sums.enumerated() {
        guard sum.hold(at: next[number]), sum.isAt(block: next[number]) else {
          for held in sums[...number] { held.release() }
          return false
        }
      }
      state.isKeeping = true
      return true
    }
    guard isFree else { return }
    defer {
      state.withLock { $0.isKeeping = false }
      for sum in sums { sum.release() }
    }
    // Asked again, as another thread may just have kept.
    guard keeper.isDue || keeper.isDueAtCancellation else { return }
    var done = self.done
    done.begun = begun()
    try keep(done, seconds(), keeper, state: numbers)
  }

  /// Adds what was seen beside the blocks.
  func add(_ numerics: Numerics) { state.withLock { $0.done.numerics.add(numerics) } }

  private func note(_ block: Int, _ numerics: Numerics) {
    state.withLock { state in
      guard block == state.done.blocks else {
        state.ahead[block] = numerics
        return
      }
      state.advance(numerics)
      while let next = state.ahead.removeValue(forKey: state.done.blocks) { state.advance(next) }
    }
  }

  private func aim(at block: Int) {
    state.withLock { state in
      guard state.aim == nil, !state.isKeeping, block >= state.done.blocks else { return }
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
    _ keeper: any ProgressKeeper, state numbers: ByteParts = { _ in }
  ) throws {
    var blocks = blocks
    blocks.forward += seconds.forward
    blocks.backward += seconds.backward
    blocks.contraction += seconds.contraction
    blocks.wall += (ContinuousClock.now - start).inSeconds
    try keeper.keep(
      blocks, sums: { write in for sum in sums { try sum.hand(to: write) } }, state: numbers)
    state.withLock { $0.kept = blocks.blocks }
  }
}
