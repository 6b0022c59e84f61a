/// How far a computation is: the first blocks of samples, or the first sequences, are done, and nothing behind them counts.
///
/// What these blocks gave stands at fixed places in the sink, so that a later computation of the same plan can go on behind
/// them; what they added up to is here and in the sums that go with it.
package struct ComputedBlocks: Hashable, Sendable, Codable {
  /// How many blocks of samples, or sequences, from the first on.
  package var blocks: Int
  /// What their numbers were like, parameters left out.
  package var numerics: Numerics
  /// Seconds of stage 1, summed over threads.
  package var forward: Double
  /// Seconds of stage 2.
  package var backward: Double
  /// Seconds of stage 3.
  package var contraction: Double
  /// Seconds from beginning to end.
  package var wall: Double

  /// Nothing yet.
  package init() {
    blocks = 0
    numerics = Numerics()
    forward = 0
    backward = 0
    contraction = 0
    wall = 0
  }
}

/// What a computation begins with: what an earlier one of the same plan kept, or nothing.
package struct ComputedBefore: Sendable {
  /// How far it was.
  package let blocks: ComputedBlocks
  /// The bytes of all sums over samples after these blocks, array by array; zeros and empty if there were none.
  package let sums: [UInt8]

  /// Describes what was kept.
  package init(blocks: ComputedBlocks, sums: [UInt8]) {
    self.blocks = blocks
    self.sums = sums
  }

  /// Nothing.
  package static let nothing = ComputedBefore(blocks: ComputedBlocks(), sums: [])
}

/// Makes what a computation has done last beyond its process; called from its threads.
package protocol ProgressKeeper: Sendable {
  /// Asked after each block: whether it is time.
  var isDue: Bool { get }
  /// Asked when the computation is cancelled: whether what is done then is to be kept.
  var isDueAtCancellation: Bool { get }
  /// Keeps these blocks, whose results the sink has; `sums` hands over the bytes of all sums after them, in order.
  func keep(_ blocks: ComputedBlocks, sums: ((RawSpan) throws -> Void) throws -> Void) throws
}

extension ComputedBefore {
  /// The next `count` sums of `rest`, or nil where nothing was kept.
  func takeSums<T: Scalar>(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [T]? {
    guard blocks.blocks > 0 else { return nil }
    let bytes = count * MemoryLayout<T>.stride
    precondition(rest.count >= bytes, "all sums were kept")
    let own = rest.prefix(bytes)
    rest = rest.dropFirst(bytes)
    return unsafe [T](unsafeUninitializedCapacity: count) { numbers, filled in
      unsafe own.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(numbers).copyMemory(from: $0)
      }
      filled = count
    }
  }
}
