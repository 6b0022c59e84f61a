/// How far an earlier computation was in a pass over a sequence, and the way to keep how far this one is.
///
/// A pass may be kept where it can be begun: between windows, before which it needs some of its numbers again (r and S,
/// or the sums of a reverse sweep), or between groups of rows, before which it goes forwards again and needs none.
struct PassProgress<T: Scalar>: Sendable {
  /// Whose pass it is.
  let job: RecurrentJob<T>
  /// Where it is told how far it is.
  let ledger: Ledger<T>
  /// Over which sequence.
  let sequence: Int
  /// The number of the pass.
  let part: Int
  /// What the passes before it showed.
  let seen: Numerics
  /// How many windows or groups of rows are done already.
  let begunAt: Int
  /// Where the numbers stand that it needs to go on.
  let results: (any EarlierResults)?
  /// For each array of sums, how many sequences have added to it while this pass runs.
  let sumsBefore: [Int]
  /// Whether what it needs to go on is worth keeping.
  let isKept: Bool

  /// Reads into some regions what was kept of them.
  func restore(_ regions: [Region], in workspace: Workspace<T>) throws {
    guard let results else { return }
    let size = MemoryLayout<T>.stride
    var offset = 0
    for region in regions {
      for start in stride(from: 0, to: region.count, by: PassProgress.piece / size) {
        let count = min(PassProgress.piece / size, region.count - start)
        let bytes = try results.readState(at: offset, byteCount: count * size)
        precondition(bytes.count == count * size, "what was kept is whole")
        var place = workspace.mutable(region.part(start..<start + count))
        // T is trivial, and any bytes are one.
        unsafe place.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
        offset += bytes.count
      }
    }
  }

  /// Before window or group `units`: keeps how far the pass is when it is time, or when the job is about to be cancelled.
  ///
  /// `numerics` are those that a computation which goes on does not look at again, `state` what it needs.
  func reached(
    _ units: Int, _ numerics: Numerics, state: [Region], in workspace: Workspace<T>
  ) throws {
    guard isKept, units > begunAt,
      ledger.isDue || job.isCancelled && ledger.isDueAtCancellation
    else { return }
    var numerics = numerics
    numerics.add(seen)
    let bytes = state.reduce(0) { $0 + $1.count } * MemoryLayout<T>.stride
    try ledger.keepBegun(
      of: sequence, next: sumsBefore,
      { [numerics] in
        BegunPart(part: part, units: units, numerics: numerics, stateBytes: bytes)
      }, seconds: { job.spent.inSeconds },
      state: { write in
        for region in state where region.count > 0 {
          try write(unsafe workspace.numbers(region).bytes)
        }
      })
  }

  /// Bytes that are read at once.
  private static var piece: Int { 1 << 20 }
}
