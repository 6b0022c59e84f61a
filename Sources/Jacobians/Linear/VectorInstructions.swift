private import CVector

/// Loops in AVX2 and FMA instructions, which the package as a whole is not compiled for; only where they are usable.
///
/// The bits of a tanh do not depend on its place in a row, those of a product on its column and W's extents alone.
@safe enum VectorInstructions {
  /// Whether this processor has AVX2 and FMA.
  static let areUsable = nnjobs_has_avx2() != 0

  /// y ← x W, or y ← y + x W: x is (depth), W is (depth × y.count) with rows `stride` apart from `offset` on.
  @inline(__always)
  static func accumulate<T: Scalar>(
    _ x: Span<T>, _ w: Span<T>, at offset: Int, stride: Int, adding: Bool,
    into y: inout MutableSpan<T>
  ) {
    let (depth, width) = (x.count, y.count)
    guard depth > 0, width > 0 else {
      if !adding { for i in y.indices { y[i] = 0 } }
      return
    }
    precondition(
      offset >= 0 && stride >= width && w.count - width >= offset + (depth - 1) * stride,
      "W's rows lie inside its numbers")
    // All extents were checked above.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe w.withUnsafeBufferPointer { w in
        unsafe y.withUnsafeMutableBufferPointer { y in
          let x = unsafe UnsafeRawPointer(x.baseAddress)
          let w = unsafe UnsafeRawPointer(w.baseAddress)
          let y = UnsafeMutableRawPointer(y.baseAddress)
          if T.self == Double.self {
            unsafe nnjobs_accumulate_f64(
              x?.assumingMemoryBound(to: Double.self), depth,
              w?.assumingMemoryBound(to: Double.self).advanced(by: offset), stride,
              y?.assumingMemoryBound(to: Double.self), width, adding ? 1 : 0)
          } else {
            unsafe nnjobs_accumulate_f32(
              x?.assumingMemoryBound(to: Float.self), depth,
              w?.assumingMemoryBound(to: Float.self).advanced(by: offset), stride,
              y?.assumingMemoryBound(to: Float.self), width, adding ? 1 : 0)
          }
        }
      }
    }
  }

  /// v ← tanh v, and slopes ← 1 − tanh² v unless `slopes` is empty; the formula of `hyperbolicTangent`.
  @inline(__always)
  static func tanh<T: Scalar>(_ rows: inout MutableSpan<T>, slopes: inout MutableSpan<T>) {
    precondition(slopes.isEmpty || slopes.count == rows.count, "a slope for every unit, or none")
    let count = rows.count
    let hasSlopes = !slopes.isEmpty
    // Both extents were checked above.
    unsafe rows.withUnsafeMutableBufferPointer { rows in
      unsafe slopes.withUnsafeMutableBufferPointer { slopes in
        let v = UnsafeMutableRawPointer(rows.baseAddress)
        let s = hasSlopes ? UnsafeMutableRawPointer(slopes.baseAddress) : nil
        if T.self == Double.self {
          unsafe nnjobs_tanh_f64(
            v?.assumingMemoryBound(to: Double.self), s?.assumingMemoryBound(to: Double.self), count)
        } else {
          unsafe nnjobs_tanh_f32(
            v?.assumingMemoryBound(to: Float.self), s?.assumingMemoryBound(to: Float.self), count)
        }
      }
    }
  }

  /// room ← column ⊗ row, row by row, stored past the caches; `room` holds exactly that many numbers.
  @unsafe static func storeOuterProduct<T: Scalar>(
    _ column: Span<T>, _ row: Span<T>, at room: UnsafeMutableRawBufferPointer
  ) {
    unsafe column.withUnsafeBufferPointer { column in
      unsafe row.withUnsafeBufferPointer { row in
        let c = unsafe UnsafeRawPointer(column.baseAddress)
        let r = unsafe UnsafeRawPointer(row.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_store_outer_f64(
            c?.assumingMemoryBound(to: Double.self), column.count,
            r?.assumingMemoryBound(to: Double.self), row.count,
            room.baseAddress?.assumingMemoryBound(to: Double.self))
        } else {
          unsafe nnjobs_store_outer_f32(
            c?.assumingMemoryBound(to: Float.self), column.count,
            r?.assumingMemoryBound(to: Float.self), row.count,
            room.baseAddress?.assumingMemoryBound(to: Float.self))
        }
      }
    }
  }
}
