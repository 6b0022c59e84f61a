private import CVector

/// A factor of a product whose left side stands in panels of eight rows, its right side row by row.
struct PanelFactors<T: Scalar>: ~Escapable {
  /// Column after column of each panel, eight numbers each.
  let panels: Span<T>
  /// How far one panel is from the next.
  let panelStride: Int
  /// How many columns each panel has, and so how many rows of `right` it meets.
  let depths: Span<Int>
  /// The right side from its first number on.
  let right: Span<T>
  /// How far its rows are apart.
  let stride: Int

  @_lifetime(copy panels, copy depths, copy right)
  init(
    panels: Span<T>, panelStride: Int, depths: Span<Int>, right: Span<T>, stride: Int
  ) {
    self.panels = panels
    self.panelStride = panelStride
    self.depths = depths
    self.right = right
    self.stride = stride
  }

  /// Whether `count` panels and `width` columns lie inside the numbers.
  fileprivate func holds(panels count: Int, width: Int) -> Bool {
    guard depths.count >= count, panelStride >= 0, stride >= 0 else { return false }
    for p in 0..<count where depths[p] != 0 {
      let depth = depths[p]
      guard depth > 0, p * panelStride + depth * Panels.rows <= panels.count,
        (depth - 1) * stride + width <= right.count
      else { return false }
    }
    return true
  }
}

/// Products of many small matrices: what BLAS prepares for each costs as much as its operations.
///
/// Loops in AVX-512 or AVX2 instructions where the processor has them, else plain ones. The bits of an entry depend on
/// its row, its column and the depths of its panel alone; plain loops differ from vector ones in rounding.
@safe struct Panels: Sendable {
  /// Rows of a panel.
  static let rows = 8
  /// What the processor can do.
  static let usual = Panels(level: Int(nnjobs_panel_level()))

  /// 2: AVX-512, 1: AVX2, 0: plain loops.
  let level: Int

  /// How many panels so many rows have.
  static func count(_ rows: Int) -> Int { (rows + Panels.rows - 1) / Panels.rows }

  /// A panel of eight rows of `source`, `stride` apart from `offset` on, each times `slopes` unless that is
  /// empty.
  ///
  /// Column k goes to packed[8k…] and, unless they are empty, to kept[place + k · apart…], and is added to sums[8k…],
  /// eight numbers each. What stands before a place of `kept` is the next to be stored.
  @inline(__always)
  func spread<T: Scalar>(
    _ source: Span<T>, at offset: Int, stride: Int, columns: Int, slopes: Span<T>,
    into packed: inout MutableSpan<T>, kept: inout MutableSpan<T>, at place: Int, apart: Int,
    sums: inout MutableSpan<T>
  ) {
    guard columns > 0 else { return }
    precondition(
      offset >= 0 && stride >= columns
        && offset + (Panels.rows - 1) * stride + columns <= source.count,
      "rows lie inside their numbers")
    precondition(slopes.isEmpty || slopes.count == columns, "a slope for every column, or none")
    let size = columns * Panels.rows
    precondition(
      packed.count >= size && (sums.isEmpty || sums.count >= size)
        && (kept.isEmpty
          || place >= 0 && apart >= Panels.rows
            && place + (columns - 1) * apart + Panels.rows <= kept.count),
      "a panel has room")
    guard level > 0 else {
      for k in 0..<columns {
        for r in 0..<Panels.rows {
          let x = source[offset + r * stride + k]
          let value = slopes.isEmpty ? x : x * slopes[k]
          packed[k * Panels.rows + r] = value
          if !kept.isEmpty { kept[place + k * apart + r] = value }
          if !sums.isEmpty { sums[k * Panels.rows + r] += value }
        }
      }
      return
    }
    let (hasSlopes, hasKept, hasSums) = (!slopes.isEmpty, !kept.isEmpty, !sums.isEmpty)
    // All extents were checked above.
    unsafe source.withUnsafeBufferPointer { source in
      unsafe slopes.withUnsafeBufferPointer { slopes in
        unsafe packed.withUnsafeMutableBufferPointer { packed in
          unsafe kept.withUnsafeMutableBufferPointer { kept in
            unsafe sums.withUnsafeMutableBufferPointer { sums in
              let x = unsafe UnsafeRawPointer(source.baseAddress)
              let factors = hasSlopes ? unsafe UnsafeRawPointer(slopes.baseAddress) : nil
              let panel = UnsafeMutableRawPointer(packed.baseAddress)
              let second = hasKept ? UnsafeMutableRawPointer(kept.baseAddress) : nil
              let sum = hasSums ? UnsafeMutableRawPointer(sums.baseAddress) : nil
              if T.self == Double.self {
                let spread =
                  unsafe level > 1 ? nnjobs_spread_panel_avx512_f64 : nnjobs_spread_panel_avx2_f64
                unsafe spread(
                  x?.assumingMemoryBound(to: Double.self).advanced(by: offset), stride, columns,
                  factors?.assumingMemoryBound(to: Double.self),
                  panel?.assumingMemoryBound(to: Double.self),
                  second?.assumingMemoryBound(to: Double.self).advanced(by: place), apart,
                  sum?.assumingMemoryBound(to: Double.self))
              } else {
                unsafe nnjobs_spread_panel_avx2_f32(
                  x?.assumingMemoryBound(to: Float.self).advanced(by: offset), stride, columns,
                  factors?.assumingMemoryBound(to: Float.self),
                  panel?.assumingMemoryBound(to: Float.self),
                  second?.assumingMemoryBound(to: Float.self).advanced(by: place), apart,
                  sum?.assumingMemoryBound(to: Float.self))
              }
            }
          }
        }
      }
    }
  }

  /// C ← A₀ B₀ + A₁ B₁, or C + that: C is (rows × width), its rows `stride` apart from `offset` on.
  @inline(__always)
  func multiply<T: Scalar>(
    rows: Int, width: Int, _ first: PanelFactors<T>, _ second: PanelFactors<T>, adding: Bool,
    into c: inout MutableSpan<T>, at offset: Int, stride: Int
  ) {
    guard rows > 0, width > 0 else { return }
    let count = Panels.count(rows)
    precondition(
      first.holds(panels: count, width: width) && second.holds(panels: count, width: width),
      "factors lie inside their numbers")
    precondition(
      offset >= 0 && stride >= width && offset + (rows - 1) * stride + width <= c.count,
      "C has room")
    guard level > 0 else {
      for row in 0..<rows {
        let start = offset + row * stride
        if !adding { for i in start..<start + width { c[i] = 0 } }
        addRow(row, width, first, into: &c, at: start)
        addRow(row, width, second, into: &c, at: start)
      }
      return
    }
    // All extents were checked above.
    unsafe first.panels.withUnsafeBufferPointer { panels0 in
      unsafe first.depths.withUnsafeBufferPointer { depths0 in
        unsafe first.right.withUnsafeBufferPointer { right0 in
          unsafe second.panels.withUnsafeBufferPointer { panels1 in
            unsafe second.depths.withUnsafeBufferPointer { depths1 in
              unsafe second.right.withUnsafeBufferPointer { right1 in
                unsafe c.withUnsafeMutableBufferPointer { c in
                  let a0 = unsafe UnsafeRawPointer(panels0.baseAddress)
                  let b0 = unsafe UnsafeRawPointer(right0.baseAddress)
                  let a1 = unsafe UnsafeRawPointer(panels1.baseAddress)
                  let b1 = unsafe UnsafeRawPointer(right1.baseAddress)
                  let place = UnsafeMutableRawPointer(c.baseAddress)
                  if T.self == Double.self {
                    let product =
                      unsafe level > 1 ? nnjobs_panels_avx512_f64 : nnjobs_panels_avx2_f64
                    unsafe product(
                      rows, a0?.assumingMemoryBound(to: Double.self), first.panelStride,
                      depths0.baseAddress, b0?.assumingMemoryBound(to: Double.self), first.stride,
                      a1?.assumingMemoryBound(to: Double.self), second.panelStride,
                      depths1.baseAddress, b1?.assumingMemoryBound(to: Double.self), second.stride,
                      place?.assumingMemoryBound(to: Double.self).advanced(by: offset), stride,
                      width, adding ? 1 : 0)
                  } else {
                    let product =
                      unsafe level > 1 ? nnjobs_panels_avx512_f32 : nnjobs_panels_avx2_f32
                    unsafe product(
                      rows, a0?.assumingMemoryBound(to: Float.self), first.panelStride,
                      depths0.baseAddress, b0?.assumingMemoryBound(to: Float.self), first.stride,
                      a1?.assumingMemoryBound(to: Float.self), second.panelStride,
                      depths1.baseAddress, b1?.assumingMemoryBound(to: Float.self), second.stride,
                      place?.assumingMemoryBound(to: Float.self).advanced(by: offset), stride,
                      width, adding ? 1 : 0)
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private func addRow<T: Scalar>(
    _ row: Int, _ width: Int, _ factors: PanelFactors<T>, into c: inout MutableSpan<T>,
    at start: Int
  ) {
    let p = row / Panels.rows
    for k in 0..<factors.depths[p] {
      let factor = factors.panels[p * factors.panelStride + k * Panels.rows + row % Panels.rows]
      let right = factors.right.extracting(k * factors.stride..<k * factors.stride + width)
      for i in right.indices { c[start + i] += factor * right[i] }
    }
  }

  /// y ← y + Σ_m x[m, :] over `count` rows of x, `stride` apart from `offset` on.
  @inline(__always)
  func addRows<T: Scalar>(
    _ x: Span<T>, at offset: Int, stride: Int, count: Int, to y: inout MutableSpan<T>
  ) {
    let width = y.count
    guard count > 0, width > 0 else { return }
    precondition(
      offset >= 0 && stride >= 0 && offset + (count - 1) * stride + width <= x.count,
      "rows lie inside their numbers")
    guard level > 0 else {
      for m in 0..<count {
        for i in 0..<width { y[i] += x[offset + m * stride + i] }
      }
      return
    }
    // Both extents were checked above.
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        let x = unsafe UnsafeRawPointer(x.baseAddress)
        let y = UnsafeMutableRawPointer(y.baseAddress)
        if T.self == Double.self {
          unsafe nnjobs_sum_rows_f64(
            x?.assumingMemoryBound(to: Double.self).advanced(by: offset), stride, count,
            y?.assumingMemoryBound(to: Double.self), width)
        } else {
          unsafe nnjobs_sum_rows_f32(
            x?.assumingMemoryBound(to: Float.self).advanced(by: offset), stride, count,
            y?.assumingMemoryBound(to: Float.self), width)
        }
      }
    }
  }

  /// Copies numbers to memory that holds exactly as many, past the caches; `fence` comes before anybody reads them.
  @unsafe func copyPastCaches<T: Scalar>(
    _ numbers: Span<T>, to room: UnsafeMutableRawBufferPointer
  ) {
    unsafe numbers.withUnsafeBytes { source in
      guard let from = source.baseAddress, let to = room.baseAddress else { return }
      if level > 0 {
        unsafe nnjobs_copy_past_caches(from, to, source.count)
      } else {
        unsafe to.copyMemory(from: from, byteCount: source.count)
      }
    }
  }

  /// Makes what was stored past the caches visible before what is stored after.
  func fence() { if level > 0 { nnjobs_store_fence() } }
}
