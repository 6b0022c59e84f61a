import Formats
import Foundation
import Jacobians
import TestSupport
import Testing

@testable import Processing

@Suite struct PredictionTests {
  static let machine = MachineLimits(cores: 4, memory: 1 << 30)

  static func job(_ document: String) throws -> PlannedJob {
    let folder = try TemporaryFolder()
    try folder.write(document, to: "job.json")
    return try PlannedJob(
      JobFile(examining: folder("job.json"), references: .refused), file: "job.json", on: machine)
  }

  static let document = #"""
    {"version": 1, "network": {"type": "feed-forward", "layers":
      [{"weights": [[1, 2, 3], [4, 5, 6]], "activation": "tanh"}]},
     "inputs": [[1, 2, 3]], "gradients": ["outputs", "parameter-jacobian"]}
    """#

  static func rates(_ folder: String?) -> MachineRates {
    MachineRates(
      cores: 4, float64: .init(oneThread: 40e9, allCores: 100e9),
      float32: .init(oneThread: 80e9, allCores: 200e9), storesToCache: 50e9, storesToMemory: 20e9,
      writing: folder.map { .init(folder: $0, bytesPerSecond: 2e9, smallResult: 0.005) })
  }

  @Test func `without a profile rates are assumed, and said to be`() throws {
    let job = try PredictionTests.job(PredictionTests.document)
    let prediction = Prediction(of: job, threads: 1, results: ".", rates: nil)
    #expect(prediction.basis == .assumption)
    #expect(prediction.operations == job.plan.operations)
    #expect(prediction.bytes == (2 + 2 * 6) * 8)
    #expect(prediction.memory == job.processMemory(threads: 1))
    #expect(abs(prediction.seconds - 0.002 - 112e-9) < 1e-12)
  }

  @Test func `with a profile its rates count, of writing only on the same file system`() throws {
    let job = try PredictionTests.job(PredictionTests.document)
    let here = try TemporaryFolder()
    let same = Prediction(
      of: job, threads: 1, results: here("not/yet/made"), rates: PredictionTests.rates(here.path))
    #expect(same.basis == .profile)
    #expect(abs(same.seconds - 0.005 - 56e-9) < 1e-12)
    let other = Prediction(
      of: job, threads: 1, results: "/proc", rates: PredictionTests.rates(here.path))
    #expect(abs(other.seconds - 0.002 - 112e-9) < 1e-12)
    let none = Prediction(of: job, threads: 1, results: ".", rates: PredictionTests.rates(nil))
    #expect(none.basis == .profile)
    #expect(abs(none.seconds - 0.002 - 112e-9) < 1e-12)
  }

  @Test func `products of several threads lie between those of one and of all`() {
    let rates = PredictionTests.rates(nil)
    #expect(rates.products(.float64, threads: 1) == 40e9)
    #expect(rates.products(.float64, threads: 2) == 60e9)
    #expect(rates.products(.float32, threads: 4) == 200e9)
    #expect(rates.products(.float32, threads: 99) == 200e9)
  }
}
