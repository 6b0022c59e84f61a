import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What `check` and the manifest predict, beside what was counted and written.
  @Suite struct Predictions {
    struct Case: Sendable, CustomTestStringConvertible {
      let testDescription: String
      var job = JobText()
      /// A job document of its own.
      var document: String?
    }
    /// Two sequences of different lengths, all kinds of passes, and a kernel.
    private static let throughTime = """
      {"version": 1, "network": {"type": "recurrent", "recurrent_units": 2, "layers": [
        {"weights": [[0.5, 1, -0.5], [1, 0.25, 0.5], [0, 1, 1]], "biases": [0, 0.5, 1], "activation": "tanh"}]},
       "inputs": [[[1], [2], [3], [4], [5]], [[1], [0], [1], [0], [1]]], "lengths": [5, 3],
       "targets": [[[1], [2], [3], [4], [5]], [[1], [0], [1], [0], [1]]],
       "gradients": ["outputs", "parameter-jacobian", "input-jacobian", "loss-gradient",
         {"of": "vjp", "vectors": [1]}, "norms", "gauss-newton", "neural-tangent-kernel"]}
      """
    private static let cases = [
      Case(testDescription: "one sample"),
      Case(testDescription: "sequences, passes of all kinds", document: throughTime),
      Case(
        testDescription: "several blocks, the last one shorter",
        job: JobText(
          widths: [7, 33, 17, 5], samples: 501,
          gradients:
            #"["outputs", "input-jacobian", "loss", "loss-gradient", "gauss-newton-diagonal"]"#)
      ),
      Case(
        testDescription: "float32, a subset, factored",
        job: JobText(
          widths: [12, 20, 3], samples: 77,
          gradients:
            #"["local-gradients", {"of": "parameter-jacobian", "form": "factored", "parameters": ["W2", "b1"]}]"#,
          more: #", "dtype": "float32""#)),
      Case(
        testDescription: "a kernel, which has no blocks of samples",
        job: JobText(widths: [6, 9, 4], samples: 60, gradients: #"["neural-tangent-kernel"]"#)),
    ]

    @Test(.timeLimit(.minutes(3)), arguments: cases)
    func `operations and bytes come out exactly as predicted`(_ test: Case) async throws {
      let queue = try TestQueue()
      try queue.folder.write(test.document ?? test.job.json, to: "job.json")
      let run = try await queue.nnjobs("run", "--threads", "2", "job.json")
      #expect(run.status == 0, "\(run.errors)")
      let manifest = try PublishedFolder(queue.folder("results/job")).manifest()
      let predicted = try #require(manifest["predicted"] as? [String: Any])
      let took = try #require(manifest["took"] as? [String: Any])
      #expect(predicted["basis"] as? String == "assumption")
      #expect((predicted["memory_bytes"] as? Int ?? 0) > 0)
      #expect((predicted["seconds"] as? Double ?? 0) > 0)
      let operations = try #require(predicted["operations"] as? Double)
      #expect(operations > 0)
      #expect(operations == took["operations"] as? Double)
      #expect(predicted["bytes_written"] as? Int == took["bytes_written"] as? Int)

      let check = try await queue.nnjobs("check", "--json", "job.json")
      let answer =
        try JSONSerialization.jsonObject(with: Data(check.output.utf8)) as? [String: Any]
      let plan = (answer?["jobs"] as? [[String: Any]])?.first
      #expect(plan?["operations"] as? Double == operations)
      #expect(plan?["basis"] as? String == "assumption")
      #expect(plan?["profile"] is NSNull)
      let page = try await queue.nnjobs("check", "job.json")
      #expect(page.output.contains("by assumed rates, as this machine was never measured\n"))
    }
  }
}
