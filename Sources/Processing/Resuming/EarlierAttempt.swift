import Formats
import Jacobians

/// What an earlier attempt has left: its arrays, and beside them what it takes to go on within a sequence.
struct EarlierAttempt: EarlierResults {
  /// The folder, which was taken over.
  let partial: PartialResult
  /// What its record names.
  let state: KeptState?

  func read(array: Int, at offset: Int, byteCount: Int) throws -> [UInt8] {
    try partial.read(array: array, at: offset, byteCount: byteCount)
  }

  // Opened for each piece: a file that is open keeps its room on the disk when another one has taken its place.
  func readState(at offset: Int, byteCount: Int) throws -> [UInt8] {
    try state?.open(in: partial.folder).read(count: byteCount, at: offset) ?? []
  }
}
