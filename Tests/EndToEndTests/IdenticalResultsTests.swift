import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The same job` {
    /// A job of many blocks, which makes use of two cores: sums over samples, and arrays of some ten megabytes.
    private func job(_ dtype: String) -> JobText {
      JobText(
        widths: [16, 48, 48, 8], activation: "gelu", samples: 300,
        gradients: """
          ["outputs", "parameter-jacobian", {"of": "parameter-jacobian", "form": "factored"}, \
          "input-jacobian", "local-gradients", "loss", "loss-gradient"]
          """, more: #", "dtype": "\#(dtype)""#, seed: 3)
    }

    @Test(.timeLimit(.minutes(3)), arguments: ["float64", "float32"])
    func `gives the same bytes with one worker or two, one thread or two, and again`(
      dtype: String
    ) async throws {
      let text = job(dtype).json
      let (first, one) = try await throughDaemon(text, workers: 1)
      #expect(one.threads == 1)
      #expect(one.blocks > 10, "many blocks, whose order differs from run to run")
      let (second, two) = try await throughDaemon(text, workers: 2)
      #expect(two.threads == 2)
      let (third, _) = try await throughDaemon(text, workers: 2)
      #expect(first.count == 24)
      #expect(second == first)
      #expect(third == first)

      let folder = try TemporaryFolder()
      try folder.write(text, to: "job.json")
      for threads in ["1", "2"] {
        let run = try await ProgramRun(
          Binaries.nnjobs, ["run", "--threads", threads, "--output", "by-" + threads, "job.json"],
          in: folder)
        #expect(run.status == 0 && run.errors == "")
        let result = try PublishedFolder(folder("by-\(threads)/job"))
        #expect(try plan(of: result).threads == Int(threads))
        #expect(try result.contents() == first, "nnjobs run with \(threads) threads")
      }
    }

    private func throughDaemon(
      _ text: String, workers: Int
    ) async throws -> ([String: Data], plan: (threads: Int, blocks: Int)) {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "\(workers)"])
      try queue.drop(text, as: "job.json")
      #expect(try await queue.wait(for: "job").state == .succeeded)
      try await daemon.end(SIGTERM)
      let result = try queue.result("job")
      return (try result.contents(), try plan(of: result))
    }

    private func plan(of result: PublishedFolder) throws -> (threads: Int, blocks: Int) {
      let plan = try #require(try result.manifest()["plan"] as? [String: Any])
      return (try #require(plan["threads"] as? Int), try #require(plan["blocks"] as? Int))
    }
  }
}
