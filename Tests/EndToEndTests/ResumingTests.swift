import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  /// A job of twelve blocks, 520 MB in all, that is stopped once it has a record of its progress.
  @Suite struct `A job goes on` {
    private static let job = JobText(
      widths: [64, 256, 256, 8], samples: 96, gradients: #"["loss-gradient", "parameter-jacobian"]"#
    )

    enum Stop: String, CaseIterable {
      case killedWorker, killedDaemon, stoppedDaemon
    }

    // 1. It went on, and says so. 2. Its bytes are those of an undisturbed run, and its digests right. 3. Nothing is left.
    @Test(.timeLimit(.minutes(3)), arguments: Stop.allCases)
    func `after its worker or its daemon went, to the same bytes`(stop: Stop) async throws {
      let queue = try TestQueue()
      let options = ["--workers", "1", "--checkpoint", "0.01"]
      var daemon = try await RunningDaemon(on: queue, options)
      try queue.drop(JobText(samples: 2).json, as: "first.json")
      try await queue.wait(for: "first")
      try queue.drop(Self.job.json, as: "long.json")
      try await eventually("there is a record; log:\n\(queue.log)") {
        queue.isThere("results/.partial-2-1/.progress")
      }
      switch stop {
      case .killedWorker: for worker in daemon.workers { kill(worker, SIGKILL) }
      case .killedDaemon, .stoppedDaemon:
        try await daemon.end(stop == .killedDaemon ? SIGKILL : SIGTERM)
        #expect(try queue.job(2)?.state != .succeeded, "it was too fast to be stopped")
        daemon = try await RunningDaemon(on: queue, options)
      }
      try await queue.wait(for: "long", [.succeeded])
      let job = try #require(try queue.job(2))
      #expect(job.resumptions == 1 && job.attempts == 2, "1; log:\n\(queue.log)")
      #expect(try #require(job.resumedFrom) > 0, "1")
      #expect(job.countedAttempts == (stop == .killedWorker ? 2 : 1), "1")
      let page = try await queue.nnjobs("status", "2")
      #expect(page.output.contains(/resumed +once, last at [0-9]+ %/), "1: \(page.output)")

      let result = try queue.result("long")
      let resumed = try result.manifest()["resumed"] as? [[String: Int]]
      #expect(resumed?.map { $0["attempt"] } == [2], "1")
      let reference = try TemporaryFolder()
      try reference.write(Self.job.json, to: "long.json")
      let run = try await ProgramRun(
        Binaries.nnjobs, ["run", "-t", "1", "long.json"], in: reference)
      #expect(run.status == 0)
      let expected = try PublishedFolder(reference("results/long"))
      for array in expected.arrays {
        let isSame = try result.bytes(of: array) == expected.bytes(of: array)
        #expect(isSame, "2: \(array)")
      }
      #expect(result.files == expected.files, "2")
      #expect(try await queue.nnjobs("result", "--verify", "2").status == 0, "2")
      try await daemon.end(SIGTERM)
      #expect(try queue.folder.names(in: "results") == ["first", "long"], "3")
    }

    @Test(.timeLimit(.minutes(2)))
    func `no more once it is cancelled, and what it kept goes`() async throws {
      let queue = try TestQueue()
      let options = ["--workers", "1", "--checkpoint", "0.01"]
      let first = try await RunningDaemon(on: queue, options)
      try queue.drop(Self.job.json, as: "long.json")
      try await eventually("there is a record; log:\n\(queue.log)") {
        queue.isThere("results/.partial-1-1/.progress")
      }
      var urgent = JobText.endless
      urgent.more = #", "priority": 9"#
      try queue.drop(urgent.sparse, as: "urgent.safetensors")
      try await queue.wait(for: "urgent", [.queued])
      try await first.end(SIGTERM)
      #expect(queue.isThere("results/.partial-1-1/.progress"), "it may go on")
      let second = try await RunningDaemon(on: queue, options)
      try await queue.wait(for: "urgent", [.running])
      #expect(queue.isThere("results/.partial-1-1/.progress"), "it may still")
      try queue.ask("cancel", 1)
      try await queue.wait(for: "long", [.cancelled])
      try await eventually("what it kept goes") { !queue.isThere("results/.partial-1-1") }
      try queue.ask("cancel", 2)
      try await queue.wait(for: "urgent", [.cancelled])
      #expect(try queue.folder.names(in: "results") == [])
      try await second.end(SIGTERM)
    }
  }
}
