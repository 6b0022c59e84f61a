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

  /// y ← y ∘ x for each of the rows y, one after another; whether all numbers are finite then.
  @inline(__always)
  static func scale<T: Scalar>(_ y: inout MutableSpan<T>, by x: Span<T>) -> Bool {
    let width = x.count
    guard width > 0 else { return true }
    precondition(y.count % width == 0, "whole rows")
    let rows = y.count / width
    // Both extents were checked above.
    return unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        let from = unsafe UnsafeRawPointer(x.baseAddress)
        let to = UnsafeMutableRawPointer(y.baseAddress)
        return T.self == Double.self
          ? unsafe nnjobs_rows_avx2_f64_scale(
            to?.assumingMemoryBound(to: Double.self), rows,
            from?.assumingMemoryBound(to: Double.self), width) != 0
          : unsafe nnjobs_rows_avx2_f32_scale(
            to?.assumingMemoryBound(to: Float.self), rows,
            from?.assumingMemoryBound(to: Float.self), width) != 0
      }
    }
  }

  /// y ← Σ_r x_r ∘ x_r over the rows x_r, one after another, or y ← y + that.
  @inline(__always)
  static func sumSquares<T: Scalar>(_ x: Span<T>, adding: Bool, into y: inout MutableSpan<T>) {
    let width = y.count
    guard width > 0 else { return }
    precondition(x.count % width == 0, "whole rows")
    let rows = x.count / width
    // Both extents were checked above.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        let from = unsafe UnsafeRawPointer(x.baseAddress)
        let to = UnsafeMutableRawPointer(y.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_rows_avx2_f64_sum_squares(
            from?.assumingMemoryBound(to: Double.self), rows,
            to?.assumingMemoryBound(to: Double.self), width, adding ? 1 : 0)
        } else {
          unsafe nnjobs_rows_avx2_f32_sum_squares(
            from?.assumingMemoryBound(to: Float.self), rows,
            to?.assumingMemoryBound(to: Float.self), width, adding ? 1 : 0)
        }
      }
    }
  }
}
