import Formats
import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Cases of `Tests/Fixtures/contractions` and `recurrent-contractions`, computed by JAX from products with J or from J
  /// multiplied out.
  @Suite struct `The reference cases of contractions` {
    private static let cases =
      [
        "cross-entropy", "log-softmax", "many-samples", "one-layer", "softmax-inside",
        "squared-error", "subset", "width-one",
      ].map { "contractions/" + $0 }
      + [
        "cross-entropy", "last-step", "lengths", "long", "softmax-inside", "some-steps",
        "squared-error", "width-one",
      ].map { "recurrent-contractions/" + $0 }
    private static let fixtures =
      URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      + "/Fixtures/"

    /// |difference| ≤ tolerance · max(1, largest expected): sums over samples and outputs, each rounded.
    private static func tolerance(_ dtype: String) -> Double { dtype == "float64" ? 1e-11 : 2e-4 }

    @Test(.timeLimit(.minutes(2)), arguments: cases)
    func `come out right through nnjobs run`(name: String) async throws {
      let folder = try TemporaryFolder()
      let path = Self.fixtures + name
      let text = String(
        decoding: try Data(contentsOf: URL(filePath: path + "/job.json")), as: UTF8.self)
      let expected = try NPZFile(examining: path + "/expected.npz")
      for dtype in ["float64", "float32"] {
        try folder.write(
          text.replacing("\"dtype\": \"float64\"", with: "\"dtype\": \"\(dtype)\""),
          to: "job.json")
        let run = try await ProgramRun(
          Binaries.nnjobs, ["run", "--output", dtype, "job.json"], in: folder)
        #expect(run.status == 0 && run.errors == "")
        let published = try PublishedFolder(folder("\(dtype)/job"))
        for key in expected.names {
          let wanted = try expected.array(named: key)
          let array = try published.array(key)
          #expect(array.array.type.rawValue == dtype && array.shape == wanted.shape, "\(key)")
          // Small singular values are lost to rounding where their squares are not.
          let isRoot = key.hasPrefix("singular-values")
          func read(_ number: Double) -> Double { isRoot ? number * number : number }
          let numbers = try wanted.numbers
          let scale = numbers.reduce(1) { max($0, abs(read($1))) }
          let worst = zip(try array.numbers(), numbers).reduce(0.0) { worst, pair in
            let difference = abs(read(pair.0) - read(pair.1))
            return max(worst, difference.isNaN ? .infinity : difference)
          }
          #expect(worst <= Self.tolerance(dtype) * scale, "\(key), \(dtype)")
        }
        #expect(Set(published.arrays) == Set(expected.names), "every array published is compared")
      }
    }
  }
}
