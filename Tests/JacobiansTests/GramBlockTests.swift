import Testing

@testable import Jacobians

/// Blocks of Gram matrices against plain sums, with every kind of instructions this processor has, and where they go.
@Suite struct GramBlockTests {
  /// Numbers without a pattern, the same ones each time.
  private static func numbers<T: Scalar>(_ count: Int, _ seed: UInt64) -> [T] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in T(random.number()) }
  }

  @Test(
    arguments: GramInstructions.allCases.filter(\.areUsable), [(0, 1), (1, 3), (2, 8), (37, 5)])
  func `a block is the products of its rows times their factors`(
    instructions: GramInstructions, sizes: (depth: Int, outputs: Int)
  ) {
    product(Double.self, instructions, sizes.depth, sizes.outputs, within: 1e-14)
    product(Float.self, instructions, sizes.depth, sizes.outputs, within: 1e-5)
  }

  private func product<T: Scalar>(
    _ type: T.Type, _ instructions: GramInstructions, _ depth: Int, _ outputs: Int,
    within tolerance: T
  ) {
    let (width, height) = (GramBlock<T>.width, GramBlock<T>.rows)
    // Seven samples: no whole number of panels, so the last one has columns behind the tile's.
    let tile = GramColumns(count: 7 * outputs, outputs: outputs, stride: height + 5)
    let panels = GramBlock<T>.panels(tile.count)
    let size = depth * width
    let rows: [T] = Self.numbers(3 * size, 1)
    let columns: [T] = Self.numbers(panels * size, 2)
    let factors: [T] = Self.numbers(tile.end(height), 3)
    let slopes: [T] = Self.numbers(2 * tile.count - 1, 4)
    let own: [T] = Self.numbers((outputs - 1) * tile.stride + height, 5)
    for panel in 0..<panels {
      let before: [T] = Self.numbers(GramBlock<T>.count, 6)
      func computed(_ fill: (inout MutableSpan<T>) -> Void) -> [T] {
        var block = before
        var span = block.mutableSpan
        fill(&span)
        return block
      }
      func add(_ adding: Bool) -> [T] {
        computed {
          // The panels in another order than they lie in.
          instructions.add(
            rows.span, at: (size, 0, 2 * size),
            times: columns.span.extracting(panel * size..<(panel + 1) * size), depth: depth,
            factors: factors.span, of: tile, column: panel * width, adding: adding, into: &$0)
        }
      }
      let (alone, added) = (add(false), add(true))
      let started = computed {
        instructions.start(
          own.span, slopes: slopes.span, apart: 2, factors: factors.span, of: tile,
          column: panel * width, into: &$0)
      }
      for j in 0..<width where panel * width + j < tile.count {
        let column = panel * width + j
        for i in 0..<height {
          let place = j * height + i
          let base = [size, 0, 2 * size][i / width]
          var sum: T = 0
          for k in 0..<depth {
            sum += rows[base + k * width + i % width] * columns[panel * size + k * width + j]
          }
          let factor = factors[column / outputs * tile.stride + i]
          #expect(abs(alone[place] - sum * factor) <= tolerance, "(\(i), \(column))")
          #expect(abs(added[place] - before[place] - sum * factor) <= tolerance)
          let slope = own[column % outputs * tile.stride + i] * slopes[2 * column] * factor
          #expect(abs(started[place] - slope) <= tolerance)
        }
      }
    }
  }

  @Test func `packed rows stand in a panel number by number, and nothing beside them is written`() {
    packing(Double.self)
    packing(Float.self)
  }

  private func packing<T: Scalar>(_ type: T.Type) {
    let width = GramBlock<T>.width
    for depth in 1...9 {
      let stride = depth + 3
      let numbers: [T] = Self.numbers(2 + width * stride, 7)
      for rows in 0...width {
        for place in [0, (width - rows) / 2, width - rows] {
          var panel = [T](repeating: 42, count: depth * width)
          do {
            var span = panel.mutableSpan
            GramBlock<T>.pack(
              numbers.span, from: 2, stride: stride, rows: rows, depth: depth, into: &span,
              at: place)
          }
          for k in 0..<depth {
            for i in 0..<width {
              let isPacked = place <= i && i < place + rows
              let expected = isPacked ? numbers[2 + (i - place) * stride + k] : 42
              #expect(panel[k * width + i] == expected, "\(rows) rows at \(place)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: [false, true])
  func `a block is stored as it is or turned, any part of it, and nothing beside it is written`(
    isPast: Bool
  ) {
    storing(Double.self, isPast)
    storing(Float.self, isPast)
  }

  private func storing<T: Scalar>(_ type: T.Type, _ isPast: Bool) {
    let (width, height) = (GramBlock<T>.width, GramBlock<T>.rows)
    let block: [T] = Self.numbers(GramBlock<T>.count, 8)
    // Lines of the cache that are whole, and rows that begin anywhere.
    for stride in [2 * height, height + 3] {
      for rows in [1, 2, width, height - 1, height] {
        for columns in [1, 3, width - 1, width] {
          for isTurned in [false, true] {
            let (down, across) = isTurned ? (columns, rows) : (rows, columns)
            let count = (down + 1) * stride
            let memory = UnsafeMutableRawBufferPointer.allocate(
              byteCount: count * MemoryLayout<T>.stride, alignment: 64)
            defer { unsafe memory.deallocate() }
            let numbers = unsafe memory.bindMemory(to: T.self)
            unsafe numbers.initialize(repeating: 42)
            let place = unsafe BlockPlace<T>(
              memory, rows: down + 1, columns: stride, stride: stride, isPast: isPast)
            if isTurned {
              place.storeTurned(block.span, rows: rows, columns: columns, row: 1, column: 0)
            } else {
              place.store(block.span, rows: rows, columns: columns, row: 1, column: 0)
            }
            place.finish()
            for r in 0..<down + 1 {
              for c in 0..<stride {
                let isInside = r > 0 && c < across
                let own = isTurned ? (r - 1) * height + c : c * height + r - 1
                unsafe #expect(numbers[r * stride + c] == (isInside ? block[own] : 42))
              }
            }
          }
        }
      }
    }
  }
}
