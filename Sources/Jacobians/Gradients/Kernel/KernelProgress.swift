import Synchronization

/// Which rows of a kernel are complete, counted in samples from the first, and what to keep of them.
///
/// Rows are complete once the tiles of their last group of columns are; those of a symmetric Θ left of the diagonal
/// came with the rows above. Threads otherwise go on while one of them keeps.
final class KernelProgress<T: Scalar>: Sendable {
  private struct State {
    /// The group whose rows are being completed, and for each row of its tiles how many are still to come.
    var group = 0..<0
    var missing: [Int] = []
    /// What was seen before the group's samples, and with them.
    var before: Numerics
    var with: Numerics
    /// What the kernel took until its tiles began, and when that was.
    var tally = Tally()
    var start = ContinuousClock.now
    /// The rows that are complete.
    var rows: Int
  }

  /// The number of the kernel among those of the job.
  private let number: Int
  private let layout: KernelLayout
  private let ledger: Ledger<T>
  /// What the job took until this kernel.
  private let earlier: Tally
  private let state: Mutex<State>
  /// The rows that an earlier computation has completed, counted in samples.
  let begunAt: Int
  /// What these samples showed.
  let numericsBefore: Numerics
  /// Where they are.
  let results: (any EarlierResults)?

  /// Goes on with kernel `number` of the job behind what was done before.
  init(
    of number: Int, _ layout: KernelLayout, after before: ComputedBefore, _ ledger: Ledger<T>,
    earlier: Tally
  ) {
    self.number = number
    self.layout = layout
    self.ledger = ledger
    self.earlier = earlier
    let begun = before.blocks.begun.flatMap { $0.part == number ? $0 : nil }
    begunAt = begun?.units ?? 0
    numericsBefore = begun?.numerics ?? Numerics()
    results = before.results
    state = Mutex(State(before: numericsBefore, with: numericsBefore, rows: begunAt))
  }

  /// Before a group's samples are gone through: what was seen so far.
  func begin(_ numerics: Numerics) { state.withLock { $0.before = numerics } }

  /// Before the tiles that complete a group's rows: what was seen, and what the kernel took so far.
  func beginRows(
    of group: Range<Int>, _ numerics: Numerics, _ tally: Tally, since start: ContinuousClock.Instant
  ) {
    let tiles = layout.tiles(group, layout.columnGroups.last ?? 0..<0)
    state.withLock { state in
      state.group = group
      state.missing = [Int](
        repeating: 0, count: layout.tileRow(group.upperBound - 1, in: group) + 1)
      for tile in tiles where tile.rows.lowerBound >= begunAt {
        state.missing[layout.tileRow(tile.rows.lowerBound, in: group)] += 1
      }
      state.with = numerics
      state.tally = tally
      state.start = start
    }
  }

  /// Notes a tile of the rows being completed, and keeps them when it is time.
  func finished(tileIn rows: Range<Int>) throws {
    let isNew = state.withLock { state in
      let first = state.rows
      state.missing[layout.tileRow(rows.lowerBound, in: state.group)] -= 1
      while state.rows < state.group.upperBound {
        let row = layout.tileRow(state.rows, in: state.group)
        guard state.missing[row] == 0 else { break }
        state.rows = min(
          state.group.lowerBound + (row + 1) * layout.tileSamples, state.group.upperBound)
      }
      return state.rows > first
    }
    if isNew, ledger.isDue { try keep() }
  }

  /// After a cancellation, when all threads have stopped: keeps the rows that are complete.
  func keepAtCancellation() throws { if ledger.isDueAtCancellation { try keep() } }

  private func keep() throws {
    let blocks = ledger.done.blocks
    try ledger.keepBegun(
      of: blocks, next: [Int](repeating: blocks, count: ledger.sumCount), { begun },
      seconds: { seconds })
  }

  private var begun: BegunPart {
    state.withLock { state in
      BegunPart(
        part: number, units: state.rows,
        // A group whose rows are not all complete is gone through again.
        numerics: state.rows == state.group.upperBound ? state.with : state.before)
    }
  }

  private var seconds: (forward: Double, backward: Double, contraction: Double) {
    let (tally, start) = state.withLock { ($0.tally, $0.start) }
    return (
      (earlier.forward + tally.forward).inSeconds, (earlier.backward + tally.backward).inSeconds,
      (earlier.contraction + tally.contraction + (ContinuousClock.now - start)).inSeconds
    )
  }
}
