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

  /// The same past the caches where the sink has memory for it; `Panels.fence` comes before anybody reads it.
  func store<T: Scalar>(_ numbers: Span<T>, array: Int, at position: Int) throws {
    let size = MemoryLayout<T>.stride
    guard
      let room = unsafe sink.room(
        array: firstArray + array, at: position * size, byteCount: numbers.count * size)
    else { return try write(numbers, array: array, at: position) }
    precondition(room.count == numbers.count * size, "a sink's room has the size asked for")
    unsafe Panels.usual.copyPastCaches(numbers, to: room)
  }

  /// Lends `body` the sink's memory of `count` numbers from number `position` on, of which others may write some
  /// meanwhile that it does not; whether the sink has such memory.
  func lend<T: Scalar>(
    array: Int, at position: Int, count: Int, _ body: (inout MutableSpan<T>) -> Void
  ) -> Bool {
    let size = MemoryLayout<T>.stride
    guard
      let room = unsafe sink.room(
        array: firstArray + array, at: position * size, byteCount: count * size)
    else { return false }
    precondition(room.count == count * size, "a sink's room has the size asked for")
    // Results are aligned as their numbers are, and touched before.
    var numbers = unsafe MutableSpan<T>(_unsafeBytes: room)
    body(&numbers)
    return true
  }
}
