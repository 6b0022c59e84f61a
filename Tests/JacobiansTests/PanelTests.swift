import TestSupport
import Testing

@testable import Jacobians

/// Products in panels against plain loops, by every kind of instructions that this processor has.
@Suite struct PanelTests {
  private static let levels = Array(0...Panels.usual.level)

  /// Numbers of both signs, none of them a power of two.
  private func numbers<T: Scalar>(_ count: Int, _ seed: Int, as type: T.Type) -> [T] {
    (0..<count).map { T(($0 * 37 + seed * 11) % 101) / 32 - 1.6 }
  }

  /// rows × columns as panels that are `apart` numbers from one another.
  private func packed<T: Scalar>(_ x: [T], rows: Int, columns: Int, apart: Int) -> [T] {
    var panels = [T](repeating: .nan, count: Panels.count(rows) * apart)
    for row in 0..<Panels.count(rows) * Panels.rows {
      for k in 0..<columns {
        panels[row / Panels.rows * apart + k * Panels.rows + row % Panels.rows] =
          row < rows ? x[row * columns + k] : 0
      }
    }
    return panels
  }

  @Test(arguments: PanelTests.levels, [1, 3, 4, 5, 8, 9, 19, 24])
  func `a panel has its rows' columns one after another, times their slopes, with their sums`(
    level: Int, columns: Int
  ) {
    for hasSlopes in [false, true] {
      for (keeps, adds) in [(false, false), (true, false), (false, true), (true, true)] {
        spread(Double.self, level, columns, hasSlopes: hasSlopes, keeps: keeps, adds: adds)
        spread(Float.self, level, columns, hasSlopes: hasSlopes, keeps: keeps, adds: adds)
      }
    }
  }

  private func spread<T: Scalar>(
    _ type: T.Type, _ level: Int, _ columns: Int, hasSlopes: Bool, keeps: Bool, adds: Bool
  ) {
    let (stride, first, place, apart) = (columns + 2, 3, 2 * Panels.rows, 5 * Panels.rows)
    let x = numbers(first + Panels.rows * stride, 3, as: T.self)
    let slopes = hasSlopes ? numbers(columns, 7, as: T.self) : []
    let size = columns * Panels.rows
    let before = numbers(size, 9, as: T.self)
    var panel = [T](repeating: .nan, count: size + 1)
    var kept = [T](repeating: .nan, count: keeps ? place + columns * apart : 0)
    var sums = adds ? before : []
    do {
      var to = panel.mutableSpan
      var second = kept.mutableSpan
      var sum = sums.mutableSpan
      Panels(level: level).spread(
        x.span, at: first, stride: stride, columns: columns, slopes: slopes.span, into: &to,
        kept: &second, at: place, apart: apart, sums: &sum)
    }
    var written = 0
    for k in 0..<columns {
      for r in 0..<Panels.rows {
        let at = k * Panels.rows + r
        let expected = x[first + r * stride + k] * (hasSlopes ? slopes[k] : 1)
        #expect(panel[at] == expected)
        if keeps { #expect(kept[place + k * apart + r] == expected) }
        if adds { #expect(sums[at] == before[at] + expected) }
        written += 1
      }
    }
    #expect(panel[size].isNaN, "what stands behind a panel is not written")
    if keeps {
      #expect(kept.count { !$0.isNaN } == written, "nothing else is written where it is kept")
    }
  }

  @Test(arguments: PanelTests.levels, [false, true])
  func `two products are added up as plain loops add them`(level: Int, adding: Bool) {
    for (rows, width) in [
      (1, 1), (3, 7), (4, 8), (5, 9), (8, 16), (9, 24), (12, 31), (16, 33), (17, 47), (7, 80),
      (24, 100),
    ] {
      check(Double.self, rows, width, level, adding, within: 1e-14)
      check(Float.self, rows, width, level, adding, within: 1e-5)
    }
  }

  private func check<T: Scalar>(
    _ type: T.Type, _ rows: Int, _ width: Int, _ level: Int, _ adding: Bool, within bound: T
  ) {
    let panels = Panels.count(rows)
    // Each panel has depths of its own, also none.
    let depths0 = (0..<panels).map { ($0 * 5 + 2) % 7 }
    let depths1 = (0..<panels).map { ($0 * 3) % 5 }
    let (deepest0, deepest1) = (7, 5)
    let x0 = numbers(panels * Panels.rows * deepest0, 1, as: T.self)
    let x1 = numbers(panels * Panels.rows * deepest1, 2, as: T.self)
    let (stride0, stride1, stride) = (width + 3, width, width + 2)
    let b0 = numbers(deepest0 * stride0, 4, as: T.self)
    let b1 = numbers(deepest1 * stride1, 5, as: T.self)
    let before = numbers(rows * stride, 6, as: T.self)
    func product(_ first: Int, _ width: Int) -> [T] {
      var c = before
      var span = c.mutableSpan
      let a0 = packed(x0, rows: rows, columns: deepest0, apart: deepest0 * 8 + 3)
      let a1 = packed(x1, rows: rows, columns: deepest1, apart: deepest1 * 8)
      Panels(level: level).multiply(
        rows: rows, width: width,
        PanelFactors(
          panels: a0.span, panelStride: deepest0 * 8 + 3, depths: depths0.span,
          right: b0.span.extracting(first..<b0.count), stride: stride0),
        PanelFactors(
          panels: a1.span, panelStride: deepest1 * 8, depths: depths1.span,
          right: b1.span.extracting(first..<b1.count), stride: stride1), adding: adding,
        into: &span, at: first, stride: stride)
      return c
    }
    let c = product(0, width)
    for row in 0..<rows {
      for i in 0..<stride {
        var expected = before[row * stride + i]
        if i < width {
          var sum: T = 0
          for k in 0..<depths0[row / 8] { sum += x0[row * deepest0 + k] * b0[k * stride0 + i] }
          for k in 0..<depths1[row / 8] { sum += x1[row * deepest1 + k] * b1[k * stride1 + i] }
          expected = adding ? expected + sum : sum
        }
        let isNear = abs(c[row * stride + i] - expected) <= bound * 30
        #expect(isNear, "\(T.self) row \(row) column \(i) of \(rows) × \(width)")
      }
    }
    // An entry's bits do not depend on the columns computed beside it.
    let first = width / 3
    let part = product(first, width - first)
    for row in 0..<rows {
      let isSame = (first..<width).allSatisfy { c[row * stride + $0] == part[row * stride + $0] }
      #expect(isSame, "row \(row) of \(rows) × \(width) from column \(first)")
    }
  }

  // 1. NaN and infinity reach the entries of their row and column and no others; 2. 0 · ∞ is NaN.
  @Test(arguments: PanelTests.levels) func `what is not finite stays in its row and column`(
    level: Int
  ) {
    let (rows, depth, width) = (11, 6, 29)
    var x = [Double](repeating: 0.5, count: rows * depth)
    var b = [Double](repeating: 0.25, count: depth * width)
    x[9 * depth + 2] = .nan
    x[4 * depth + 5] = .infinity
    b[1 * width + 28] = .infinity
    x[3 * depth + 1] = 0
    var c = [Double](repeating: .nan, count: rows * width)
    let a = packed(x, rows: rows, columns: depth, apart: depth * 8)
    let depths = [depth, depth]
    let none = [0, 0]
    do {
      var span = c.mutableSpan
      Panels(level: level).multiply(
        rows: rows, width: width,
        PanelFactors(
          panels: a.span, panelStride: depth * 8, depths: depths.span, right: b.span, stride: width),
        PanelFactors(
          panels: a.span, panelStride: 0, depths: none.span, right: b.span, stride: 0),
        adding: false, into: &span, at: 0, stride: width)
    }
    for row in 0..<rows {
      for i in 0..<width {
        let value = c[row * width + i]
        switch (row, i) {
        case (9, _), (3, 28): #expect(value.isNaN)
        case (4, _), (_, 28): #expect(value == .infinity)
        case (3, _): #expect(value == 0.625)
        default: #expect(value == 0.75)
        }
      }
    }
  }

  @Test(arguments: PanelTests.levels) func `rows are added to a row in their order`(level: Int) {
    for width in [1, 5, 16, 17, 32, 35, 70] {
      let x = numbers(9 * (width + 1), 8, as: Double.self)
      let narrow = numbers(9 * (width + 1), 8, as: Float.self)
      var y = numbers(width, 9, as: Double.self)
      var z = numbers(width, 9, as: Float.self)
      var (expected, expectedNarrow) = (y, z)
      for m in 0..<8 {
        for i in 0..<width {
          expected[i] += x[1 + m * (width + 1) + i]
          expectedNarrow[i] += narrow[1 + m * (width + 1) + i]
        }
      }
      do {
        var span = y.mutableSpan
        Panels(level: level).addRows(x.span, at: 1, stride: width + 1, count: 8, to: &span)
        var other = z.mutableSpan
        Panels(level: level).addRows(narrow.span, at: 1, stride: width + 1, count: 8, to: &other)
      }
      #expect(y == expected && z == expectedNarrow, "width \(width)")
    }
  }

  @Test(arguments: PanelTests.levels, [0, 8, 24, 60])
  func `a copy past the caches is a copy, wherever it begins and ends`(level: Int, shift: Int) {
    for count in [0, 1, 7, 15, 16, 17, 40, 129] {
      let x = numbers(count, 7, as: Float.self)
      let size = count * 4
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 128, alignment: 64)
      defer { unsafe room.deallocate() }
      for i in 0..<room.count { unsafe room[i] = 0xee }
      let place = unsafe UnsafeMutableRawBufferPointer(rebasing: room[shift..<shift + size])
      unsafe Panels(level: level).copyPastCaches(x.span, to: place)
      Panels(level: level).fence()
      for i in 0..<count {
        #expect(unsafe place.loadUnaligned(fromByteOffset: i * 4, as: Float.self) == x[i])
      }
      let before = unsafe room[0..<shift].allSatisfy { $0 == 0xee }
      let after = unsafe room[(shift + size)...].allSatisfy { $0 == 0xee }
      #expect(before && after, "what is around is not written")
    }
  }
}
