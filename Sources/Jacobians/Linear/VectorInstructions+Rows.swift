private import CVector

/// Passes over rows in AVX2 instructions (CVector/rows.h), with the bits of the plain loops.
extension VectorInstructions {
  /// Whether all numbers are finite.
  @inline(__always)
  static func areFinite<T: Scalar>(_ numbers: Span<T>) -> Bool {
    // The extent is the span's own.
    unsafe numbers.withUnsafeBufferPointer { numbers in
      let x = unsafe UnsafeRawPointer(numbers.baseAddress)
      return T.self == Double.self
        ? unsafe nnjobs_rows_avx2_f64_are_finite(
          x?.assumingMemoryBound(to: Double.self), numbers.count) != 0
        : unsafe nnjobs_rows_avx2_f32_are_finite(
          x?.assumingMemoryBound(to: Float.self), numbers.count) != 0
    }
  }

  /// How many numbers x have 1 − x² < bound.
  @inline(__always)
  static func countNearOne<T: Scalar>(_ numbers: Span<T>, within bound: T) -> Int {
    // The extent is the span's own.
    unsafe numbers.withUnsafeBufferPointer { numbers in
      let x = unsafe UnsafeRawPointer(numbers.baseAddress)
      return T.self == Double.self
        ? unsafe nnjobs_rows_avx2_f64_count_near_one(
          x?.assumingMemoryBound(to: Double.self), Double(bound), numbers.count)
        : unsafe nnjobs_rows_avx2_f32_count_near_one(
          x?.assumingMemoryBound(to: Float.self), Float(bound), numbers.count)
    }
  }

  /// y ← y ∘ x.
  @inline(__always)
  static func scale<T: Scalar>(_ y: inout MutableSpan<T>, by x: Span<T>) {
    precondition(x.count == y.count, "a factor for every number")
    // Both extents were checked above.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        let from = unsafe UnsafeRawPointer(x.baseAddress)
        let to = UnsafeMutableRawPointer(y.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_rows_avx2_f64_scale(
            to?.assumingMemoryBound(to: Double.self), from?.assumingMemoryBound(to: Double.self),
            y.count)
        } else {
          unsafe nnjobs_rows_avx2_f32_scale(
            to?.assumingMemoryBound(to: Float.self), from?.assumingMemoryBound(to: Float.self),
            y.count)
        }
      }
    }
  }

  /// y ← x ∘ x, or y ← y + x ∘ x.
  @inline(__always)
  static func square<T: Scalar>(_ x: Span<T>, adding: Bool, into y: inout MutableSpan<T>) {
    precondition(x.count == y.count, "a square for every number")
    // Both extents were checked above.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        let from = unsafe UnsafeRawPointer(x.baseAddress)
        let to = UnsafeMutableRawPointer(y.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_rows_avx2_f64_square(
            from?.assumingMemoryBound(to: Double.self), to?.assumingMemoryBound(to: Double.self),
            y.count, adding ? 1 : 0)
        } else {
          unsafe nnjobs_rows_avx2_f32_square(
            from?.assumingMemoryBound(to: Float.self), to?.assumingMemoryBound(to: Float.self),
            y.count, adding ? 1 : 0)
        }
      }
    }
  }
}
