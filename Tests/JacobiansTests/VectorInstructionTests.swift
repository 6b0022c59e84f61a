import Testing

@testable import Jacobians

/// The loops in AVX2 instructions against the plain ones, at every place in a row.
@Suite(.enabled(if: VectorInstructions.areUsable, "this processor has no AVX2"))
struct VectorInstructionTests {
  @Test(arguments: [0, 1, 2, 5, 8], 1...53)
  func `a row times a matrix is the sum of products at every width`(depth: Int, width: Int) {
    product(Double.self, depth, width, within: 1e-15)
    product(Float.self, depth, width, within: 1e-6)
  }

  private func product<T: Scalar>(_ type: T.Type, _ depth: Int, _ width: Int, within tolerance: T) {
    let stride = width + 3
    let offset = 5
    let x = (0..<depth).map { T($0 * 7 % 5) / 4 - T(0.6) }
    let w = (0..<offset + depth * stride + width).map { T($0 * 13 % 17) / 16 - T(0.4) }
    for adding in [false, true] {
      var y = (0..<width + 1).map { T($0) }
      do {
        var span = y.mutableSpan
        var row = span._mutatingExtracting(0..<width)
        VectorInstructions.accumulate(
          x.span, w.span, at: offset, stride: stride, adding: adding, into: &row)
      }
      for i in 0..<width {
        var sum: T = adding ? T(i) : 0
        for k in 0..<depth { sum += x[k] * w[offset + k * stride + i] }
        #expect(abs(y[i] - sum) <= tolerance * max(1, abs(sum)) * 8, "column \(i)")
      }
      #expect(y[width] == T(width), "what stands behind the row is not written")
    }
  }

  @Test(arguments: 0...19)
  func `tanh is the same wherever it stands in a row, and its slope is one less its square`(
    count: Int
  ) {
    tanh(Double.self, count)
    tanh(Float.self, count)
  }

  private func tanh<T: Scalar>(_ type: T.Type, _ count: Int) {
    let values: [T] = [
      0, -0.0, 1e-30, -1e-9, 0.1, -0.7, 1, -2.5, 9, -30, .infinity, -.infinity, .nan, 0.34657359,
      5e-3, -0.25, 3, 19.5, -19.9, .leastNonzeroMagnitude,
    ]
    var alone: [T] = []
    for v in values {
      var one = [v]
      var none: [T] = []
      var span = one.mutableSpan
      var slope = none.mutableSpan
      VectorInstructions.tanh(&span, slopes: &slope)
      alone.append(one[0])
      let expected = T.tanh(v)
      #expect(
        one[0] == expected && one[0].sign == expected.sign
          || abs(one[0] - expected) <= 4 * expected.ulp || one[0].isNaN && v.isNaN, "tanh \(v)")
    }
    var row = Array(values[0..<count]) + [42]
    var slopes = [T](repeating: -1, count: count + 1)
    do {
      var all = row.mutableSpan
      var allSlopes = slopes.mutableSpan
      var some = all._mutatingExtracting(0..<count)
      var someSlopes = allSlopes._mutatingExtracting(0..<count)
      VectorInstructions.tanh(&some, slopes: &someSlopes)
    }
    for i in 0..<count {
      #expect(row[i] == alone[i] || row[i].isNaN && alone[i].isNaN, "place \(i)")
      let slope = 1 - row[i] * row[i]
      #expect(abs(slopes[i] - slope) <= T.ulpOfOne || slopes[i].isNaN && row[i].isNaN)
    }
    #expect(row[count] == 42 && slopes[count] == -1, "what stands behind the row is not written")
  }

  @Test(arguments: 0...37)
  func `passes over rows give what plain loops give, at every length`(count: Int) {
    passes(Double.self, count)
    passes(Float.self, count)
  }

  private func passes<T: Scalar>(_ type: T.Type, _ count: Int) {
    // Some of them within rounding of ±1, where a unit counts as saturated.
    var x: [T] = []
    for i in 0..<count {
      let near: T = 1 - T(i % 4) * T.ulpOfOne / 4
      let own: T = T(i * 7 % 11) / 10 - T(0.5)
      x.append(i % 3 > 0 ? own : i % 2 == 0 ? near : -near)
    }
    var near = 0
    for value in x where 1 - value * value < T.ulpOfOne { near += 1 }
    #expect(VectorInstructions.countNearOne(x.span, within: T.ulpOfOne) == near)
    let isFinite = VectorInstructions.areFinite(x.span)
    #expect(isFinite)
    for i in 0..<count {
      for bad in [T.nan, .infinity, -.infinity] {
        var own = x
        own[i] = bad
        let stays = VectorInstructions.areFinite(own.span)
        #expect(!stays, "place \(i)")
        let (found, plain) = (
          Numerics.NonFinite(in: own.span), Numerics.NonFinite(plainlyIn: own.span)
        )
        #expect(found == plain && found.nan + found.infinity == 1)
      }
    }
    let y: [T] = (0..<count).map { T($0 * 5 % 13) }
    func changed(_ change: (inout MutableSpan<T>) -> Void) -> [T] {
      var all = y + [42]
      do {
        var span = all.mutableSpan
        var row = span._mutatingExtracting(0..<count)
        change(&row)
      }
      let behind = all.removeLast()
      #expect(behind == 42, "what stands behind the row is not written")
      return all
    }
    var (scaled, squares, sums): ([T], [T], [T]) = ([], [], [])
    for i in 0..<count {
      scaled.append(y[i] * x[i])
      squares.append(x[i] * x[i])
      sums.append(y[i] + x[i] * x[i] + y[i] * y[i])
    }
    let two = x + y
    #expect(changed { _ = VectorInstructions.scale(&$0, by: x.span) } == scaled)
    #expect(changed { VectorInstructions.sumSquares(x.span, adding: false, into: &$0) } == squares)
    #expect(changed { VectorInstructions.sumSquares(two.span, adding: true, into: &$0) } == sums)
    guard count > 0 else { return }
    // Two rows by the same factors; one number that is not finite is seen wherever it stands.
    for i in [nil] + Array(0..<2 * count).map(Optional.some) {
      var rows = y + y
      if let i { rows[i] = i % 2 == 0 ? .infinity : .nan }
      var span = rows.mutableSpan
      let isFinite = VectorInstructions.scale(&span, by: x.span)
      #expect(isFinite == (i == nil), "place \(i ?? -1)")
      if i == nil { #expect(rows == scaled + scaled) }
    }
  }

  @Test(arguments: [false, true])
  func `steps multiply alike with vector instructions and without`(adding: Bool) throws {
    let blas = try BLAS.loaded()
    for (rows, depth, width) in [(1, 3, 4), (2, 30, 34), (3, 70, 90), (5, 20, 20), (1, 300, 300)] {
      let x = (0..<rows * depth).map { Double($0 * 7 % 11) / 8 - 0.6 }
      let w = (0..<depth * width).map { Double($0 * 5 % 13) / 8 - 0.7 }
      let results = [true, false].map { usesVectors in
        var y = (0..<rows * width).map { Double($0 % 3) }
        var span = y.mutableSpan
        StepProducts(blas: blas, usesVectors: usesVectors).multiply(
          x.span, at: 0, stride: depth, rows: rows, depth: depth, w.span, at: 0, stride: width,
          width: width, adding: adding, into: &span)
        return y
      }
      for (a, b) in zip(results[0], results[1]) { #expect(abs(a - b) <= 1e-12 * max(1, abs(a))) }
    }
  }
}
