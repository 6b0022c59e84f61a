/// Where blocks of results go.
///
/// Called from several threads at once, with ranges that never overlap; every byte of every array is
/// written exactly once.
package protocol ResultSink: Sendable {
  /// Writes `bytes` (little-endian numbers, row by row) at `offset` bytes into array `array` of the plan.
  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws
}
