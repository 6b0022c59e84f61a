import Jacobians
import TestSupport
import Testing

/// A sample's results have the same bytes in a batch of any width and however many threads compute.
///
/// In float64 also at any place in the batch. This holds for OpenBLAS's Haswell kernels, which the engine chooses;
/// other kernels keep it for threads only.
@Suite struct DeterminismTests {
  static let requests = [
    GradientRequest(name: "outputs"),
    GradientRequest(name: "parameter-jacobian", options: ["form": .text("factored")]),
    GradientRequest(name: "input-jacobian"), GradientRequest(name: "local-gradients"),
    GradientRequest(name: "loss"),
    GradientRequest(
      name: "loss-gradient",
      options: ["per_sample": .flag(true), "parameters": .texts(["W2", "b1"])]),
  ]
  static let hasHaswell = (try? BLAS.loaded().kernel) == "Haswell"

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let widths: [Int]
    let activations: [Activation]
    var batch = 53
    var testDescription: String { name }
  }
  static let cases = [
    Case(name: "narrow", widths: [3, 5, 2], activations: [.tanh, .identity], batch: 101),
    Case(name: "odd widths", widths: [7, 33, 17, 5], activations: [.gelu, .softmax, .sigmoid]),
    Case(name: "one output", widths: [13, 21, 1], activations: [.silu, .tanh], batch: 70),
    Case(
      name: "deep in k", widths: [300, 70, 9], activations: [.tanh, .logSoftmax], batch: 21),
  ]

  static func check<T: Scalar & Equatable>(_ test: Case, _ type: T.Type) throws {
    let problem = Problem<T>.random(
      seed: 31, widths: test.widths, activations: test.activations, batch: test.batch)
    let whole = try Results(requests, on: problem)
    func same(_ part: Results<T>, _ samples: Range<Int>, _ how: String) {
      for path in part.paths {
        let width = whole[path].count / test.batch
        let slice = Array(whole[path][samples.lowerBound * width..<samples.upperBound * width])
        let isSame = part[path].bits == slice.bits
        #expect(isSame, "\(path), \(how)")
      }
    }
    // 1. threads, 2. block sizes, 3. batch widths, 4. places in the batch.
    for threads in [2, 3, 8] {
      let other = try Results(requests, on: problem, threads: threads)
      same(other, 0..<test.batch, "\(threads) threads")
    }
    guard hasHaswell else { return }
    let sizes = T.type == .float64 ? [1, 2, 3, 5, 8, 13, 32, 100] : [24, 48, 96]
    for samples in sizes {
      let other = try Results(requests, on: problem, threads: 2, blockSamples: samples)
      same(other, 0..<test.batch, "blocks of \(samples)")
    }
    for batch in [1, 2, 7, 11, 13, 25, test.batch - 1] where batch < test.batch {
      let other = try Results(requests, on: problem.taking(0..<batch))
      same(other, 0..<batch, "the first \(batch)")
    }
    guard T.type == .float64 else { return }
    for samples in [4..<7, 11..<20, test.batch - 1..<test.batch] {
      let other = try Results(requests, on: problem.taking(samples))
      same(other, samples, "samples \(samples) alone")
    }
  }

  @Test(arguments: cases) func `the same bytes for any batch width, block size and thread count`(
    _ test: Case
  ) throws {
    try DeterminismTests.check(test, Double.self)
    try DeterminismTests.check(test, Float.self)
  }

  @Test func `sums over samples have the same bytes for any thread count`() throws {
    let problem = Problem<Float>.random(
      seed: 32, widths: [6, 19, 3], activations: [.tanh, .identity], batch: 997)
    let requests = [
      GradientRequest(name: "loss-gradient", options: ["parameters": .texts(["W1", "b2"])]),
      GradientRequest(name: "loss-gradient", options: ["parameters": .texts(["W2"])]),
    ]
    let one = try Results(requests, on: problem, blockSamples: 7)
    for threads in [2, 3, 5, 16] {
      let other = try Results(requests, on: problem, threads: threads, blockSamples: 7)
      for path in one.paths {
        let isSame = one[path].bits == other[path].bits
        #expect(isSame, "\(threads), \(path)")
      }
    }
  }
}

extension Array where Element: Scalar {
  /// The numbers' bytes, so that −0 and NaN count.
  fileprivate var bits: [UInt64] {
    map { number in
      if let float = number as? Float { return UInt64(float.bitPattern) }
      return Double(number).bitPattern
    }
  }
}
