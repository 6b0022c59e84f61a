import Synchronization
import TestSupport
import Testing

@testable import Jacobians

/// Results that stand in memory already are stored there, the same bytes as those that are handed over.
@Suite struct DirectStoreTests {
  /// Memory of its own for each array, beginning `shift` bytes after a line of the cache.
  @safe private final class LentMemory: ResultSink, @unchecked Sendable {
    // Sendable: ranges that are stored never overlap.
    private let bases: [UnsafeMutableRawPointer]
    private let sizes: [Int]
    private let shift: Int
    let lent = Atomic(0)
    let written = Atomic(0)

    init(_ arrays: [ResultArray], numberBytes: Int, shift: Int) {
      self.shift = shift
      sizes = arrays.map { $0.count * numberBytes }
      unsafe bases = sizes.map { size in
        let base = UnsafeMutableRawPointer.allocate(byteCount: size + shift, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0xff, count: size + shift)
        return unsafe base
      }
    }

    deinit {
      for array in sizes.indices { unsafe bases[array].deallocate() }
    }

    func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
      written.add(bytes.byteCount, ordering: .relaxed)
      unsafe bytes.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(
          start: bases[array] + shift + offset, count: source.count
        ).copyMemory(from: source)
      }
    }

    @unsafe func room(
      array: Int, at offset: Int, byteCount: Int
    ) -> UnsafeMutableRawBufferPointer? {
      lent.add(byteCount, ordering: .relaxed)
      return unsafe UnsafeMutableRawBufferPointer(
        start: bases[array] + shift + offset, count: byteCount)
    }

    func numbers<T: Scalar>(of array: Int, as type: T.Type) -> [T] {
      (0..<sizes[array] / MemoryLayout<T>.stride).map {
        unsafe (bases[array] + shift).loadUnaligned(
          fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)
      }
    }
  }

  @Test(arguments: ["per-parameter", "matrix"], [0, 8])
  func `a Jacobian stored in lent memory has the bytes of one handed over`(
    layout: String, shift: Int
  ) throws {
    try compare(Double.self, layout: layout, shift: shift)
    try compare(Float.self, layout: layout, shift: shift / 2)
  }

  private func compare<T: Scalar>(_ type: T.Type, layout: String, shift: Int) throws {
    // 61 × 47 numbers: no whole number of registers in a row, and enough bytes to be stored directly.
    let problem = Problem<T>.random(
      seed: 5, widths: [47, 61, 3], activations: [.tanh, .identity], batch: 5)
    let plan = try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: T.type,
      requests: [GradientRequest(name: "parameter-jacobian", options: ["layout": .text(layout)])],
      hasTargets: false, verify: false)
    let handed = MemorySink<T>(plan)
    let lent = LentMemory(plan.arrays, numberBytes: MemoryLayout<T>.stride, shift: shift)
    for sink in [handed, lent] as [any ResultSink] {
      _ = try Computation.run(plan, on: problem, into: sink, threads: 2, monitor: QuietMonitor())
    }
    for array in plan.arrays.indices {
      #expect(lent.numbers(of: array, as: T.self) == handed.arrays[array], "array \(array)")
    }
    if VectorInstructions.areUsable {
      #expect(lent.lent.load(ordering: .relaxed) == 5 * 3 * 61 * 47 * MemoryLayout<T>.stride)
    }
    let all = plan.arrays.reduce(0) { $0 + $1.count * MemoryLayout<T>.stride }
    #expect(
      lent.lent.load(ordering: .relaxed) + lent.written.load(ordering: .relaxed) == all,
      "every byte comes once")
  }
  @Test(arguments: ["full", "per-output"], [0, 8])
  func `a kernel stored in lent memory has the bytes of one handed over`(
    form: String, shift: Int
  ) throws {
    try compareKernels(Double.self, form: form, shift: shift)
    try compareKernels(Float.self, form: form, shift: shift / 2)
  }

  private func compareKernels<T: Scalar>(_ type: T.Type, form: String, shift: Int) throws {
    // More than one tile of either form, whose rows begin anywhere in a line of the cache.
    let problem = Problem<T>.random(
      seed: 6, widths: [5, 9, 3], activations: [.tanh, .identity], batch: 521)
    let plan = try Planner.plan(
      network: problem.network.shape, batch: problem.batch, dtype: T.type,
      requests: [GradientRequest(name: "neural-tangent-kernel", options: ["form": .text(form)])],
      hasTargets: false, verify: false)
    let handed = MemorySink<T>(plan)
    let lent = LentMemory(plan.arrays, numberBytes: MemoryLayout<T>.stride, shift: shift)
    for sink in [handed, lent] as [any ResultSink] {
      _ = try Computation.run(plan, on: problem, into: sink, threads: 2, monitor: QuietMonitor())
    }
    #expect(lent.numbers(of: 0, as: T.self) == handed.arrays[0])
    #expect(lent.written.load(ordering: .relaxed) == 0)
  }

  // 1. several tiles, groups and windows, no whole number of panels or registers; 2. a layer more, its own tiles.
  @Test(
    arguments: [
      (RecurrentStrategy.forward, nil), (.adjoint, nil), (.blocked, 7), (.blocked, 16),
    ] as [(RecurrentStrategy, Int?)], ["per-parameter", "matrix"])
  func `a recurrent Jacobian stored in lent memory has the bytes of one handed over`(
    way: (RecurrentStrategy, Int?), layout: String
  ) throws {
    for (widths, units) in [([35 + 29, 3 + 35], 35), ([11 + 6, 9, 3 + 6], 6)] {
      let problem = RecurrentProblem<Double>.random(
        seed: 8, widths: widths, units: units,
        activations: Array(repeating: .tanh, count: widths.count - 1), batch: 2, steps: 40,
        lengths: [40, 33], scale: 1.2)
      func planned(_ strategy: RecurrentStrategy, _ blockSteps: Int?) throws -> RecurrentPlan {
        try Planner.plan(
          recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
          dtype: .float64,
          requests: [
            GradientRequest(name: "parameter-jacobian", options: ["layout": .text(layout)])
          ], hasTargets: true, hasInitialState: true, verify: false, strategy: strategy,
          blockSteps: blockSteps)
      }
      let plan = try planned(way.0, way.1)
      let handed = MemorySink<Double>(plan.arrays)
      _ = try Computation.run(
        plan, on: problem, into: handed, threads: 1, monitor: QuietMonitor())
      for (threads, shift) in [(1, 8), (4, 0)] {
        let lent = LentMemory(plan.arrays, numberBytes: 8, shift: shift)
        _ = try Computation.run(
          plan, on: problem, into: lent, threads: threads, monitor: QuietMonitor())
        for array in plan.arrays.indices {
          let isSame = lent.numbers(of: array, as: Double.self) == handed.arrays[array]
          #expect(isSame, "array \(array), \(threads) threads")
        }
        let all = plan.arrays.reduce(0) { $0 + $1.count * 8 }
        // Rows are lent from a tile's first column on, other tiles' columns between them.
        #expect(lent.lent.load(ordering: .relaxed) >= all - all / 2)
        #expect(lent.written.load(ordering: .relaxed) < all / 2)
      }
      // Rounding only, over 40 steps.
      let other = try planned(way.0 == .forward ? .adjoint : .forward, nil)
      let sink = MemorySink<Double>(other.arrays)
      _ = try Computation.run(other, on: problem, into: sink, threads: 2, monitor: QuietMonitor())
      for array in plan.arrays.indices {
        let scale = handed.arrays[array].reduce(1) { max($0, abs($1)) }
        let worst = zip(handed.arrays[array], sink.arrays[array]).reduce(0) {
          max($0, abs($1.0 - $1.1))
        }
        #expect(worst <= 1e-12 * scale, "array \(array): \(worst / scale)")
      }
    }
  }
}
