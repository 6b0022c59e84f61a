/// Writes the arrays of one gradient, which follow one another in the plan.
package struct ResultWriter: Sendable {
  let sink: any ResultSink
  let firstArray: Int

  /// Writes `numbers` from number `position` of array `array` of the gradient on.
  package func write<T: Scalar>(_ numbers: Span<T>, array: Int, at position: Int) throws {
    guard !numbers.isEmpty else { return }
    try unsafe sink.write(
      numbers.bytes, array: firstArray + array, at: position * MemoryLayout<T>.stride)
  }
}
