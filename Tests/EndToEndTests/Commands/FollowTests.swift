import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs follow` {
    @Test(.timeLimit(.minutes(2)))
    func `tells each change of a job until it has ended, and ends as it did`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try queue.drop(BadFile.good, as: "good.json")
      try await queue.wait(for: "good", [.queued])
      async let good = queue.nnjobs("follow", "2")
      async let runs = queue.nnjobs("follow", "1")
      try await eventually("it gets on") { (try queue.job("runs")?.progress ?? 0) > 0 }
      try queue.ask("cancel", 1)
      let cancelled = try await runs
      #expect(cancelled.status == 1)
      #expect(
        cancelled.errors
          == "nnjobs: job 1 (runs) was cancelled: runs was cancelled while it ran\n")
      #expect(cancelled.output.hasSuffix("job 1 (runs) was cancelled\n"))
      let succeeded = try await good
      #expect(succeeded.status == 0 && succeeded.errors == "")
      #expect(succeeded.output.hasSuffix("job 2 (good) has succeeded: results/good\n"))
      // What has ended is told once, also to a program.
      let json = try await queue.nnjobs("follow", "--json", "2")
      #expect(json.status == 0 && json.output.split(separator: "\n").count == 1)
      let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
      let job = (object as? [String: Any])?["job"] as? [String: Any]
      #expect(job?["state"] as? String == "succeeded" && job?["id"] as? Int == 2)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(1)))
    func `refuses what is no job, and more than one`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      let unknown = try await queue.nnjobs("follow", "9")
      #expect(unknown.status == 2)
      let two = try await queue.nnjobs("follow", "1", "2")
      #expect(two.status == 64)
      #expect(
        two.errors
          == "nnjobs: follow does not take \"2\"; `nnjobs help follow` says what it takes\n")
      try await daemon.end(SIGTERM)
    }
  }
}
