/// Where blocks of results go.
///
/// Called from several threads at once, with ranges that never overlap; every byte of every array is
/// written exactly once.
package protocol ResultSink: Sendable {
  /// Writes `bytes` (little-endian numbers, row by row) at `offset` bytes into array `array` of the plan.
  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws

  /// The memory of `byteCount` bytes of array `array` from `offset` on, if results stand in memory: what is stored
  /// there needs no `write`. Called and filled under the same rules.
  @unsafe func room(array: Int, at offset: Int, byteCount: Int) -> UnsafeMutableRawBufferPointer?
}

extension ResultSink {
  /// Most results go to files.
  @unsafe package func room(
    array: Int, at offset: Int, byteCount: Int
  ) -> UnsafeMutableRawBufferPointer? { nil }
}
