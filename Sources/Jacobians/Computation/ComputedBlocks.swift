/// How far a computation is: the first blocks of samples, or the first sequences, are done, perhaps a part of what comes
/// next, and nothing behind it counts.
///
/// What these blocks gave stands at fixed places in the sink, so that a later computation of the same plan can go on behind
/// them; what they added up to is here and in the sums that go with it.
package struct ComputedBlocks: Hashable, Sendable, Codable {
  /// How many blocks of samples, or sequences, from the first on.
  package var blocks: Int
  /// What is done of what comes next.
  package var begun: BegunPart?
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

/// How far the first thing is that is begun and not done.
package struct BegunPart: Hashable, Sendable, Codable {
  /// Which one: the number of a kernel, after all blocks of samples, or of a pass over the first sequence that is not done.
  package var part: Int
  /// How much of it is done: a kernel's first samples, whose rows are complete; a pass's windows or groups of rows.
  package var units: Int
  /// What its numbers were like, and those of what came before it in the same sequence, as far as they are not looked at again.
  package var numerics: Numerics
  /// Bytes of numbers that a computation needs to go on from there and that stand in no result.
  package var stateBytes: Int

  /// Describes a part that is begun.
  package init(part: Int, units: Int, numerics: Numerics, stateBytes: Int = 0) {
    self.part = part
    self.units = units
    self.numerics = numerics
    self.stateBytes = stateBytes
  }
}

/// What a computation begins with: what an earlier one of the same plan kept, or nothing.
package struct ComputedBefore: Sendable {
  /// How far it was.
  package let blocks: ComputedBlocks
  /// The bytes of all sums over samples after these blocks, array by array; zeros and empty if there were none.
  package let sums: [UInt8]
  /// The numbers that stand for good; nil where nothing was kept.
  let results: (any EarlierResults)?

  /// Describes what was kept.
  package init(blocks: ComputedBlocks, sums: [UInt8], results: any EarlierResults) {
    self.init(blocks, sums, results)
  }

  private init(_ blocks: ComputedBlocks, _ sums: [UInt8], _ results: (any EarlierResults)?) {
    self.blocks = blocks
    self.sums = sums
    self.results = results
  }

  /// Nothing.
  package static let nothing = ComputedBefore(ComputedBlocks(), [], nil)
}

/// What an earlier computation of the same plan has left in the sink.
package protocol EarlierResults: Sendable {
  /// Reads bytes of array `array` of the plan that stand for good.
  func read(array: Int, at offset: Int, byteCount: Int) throws -> [UInt8]
  /// Reads some of the `stateBytes` that were kept beside the results.
  func readState(at offset: Int, byteCount: Int) throws -> [UInt8]
}

/// Hands over bytes part after part, as often as it is asked to.
package typealias ByteParts = (_ write: (RawSpan) throws -> Void) throws -> Void

/// Makes what a computation has done last beyond its process; called from its threads.
package protocol ProgressKeeper: Sendable {
  /// Asked after each block: whether it is time.
  var isDue: Bool { get }
  /// Asked when the computation is cancelled: whether what is done then is to be kept.
  var isDueAtCancellation: Bool { get }
  /// Keeps these blocks, whose results the sink has, from one thread at a time.
  ///
  /// `sums` hands over the bytes of all sums after them, in order, `state` those of what is begun: `stateBytes` in all.
  func keep(
    _ blocks: ComputedBlocks, sums: ByteParts, state: ByteParts
  ) throws
}

extension ComputedBefore {
  /// The next `count` sums of `rest`, or nil where nothing was kept.
  func takeSums<T: Scalar>(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [T]? {
    guard results != nil else { return nil }
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
