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

    /// One sequence of 1000 steps, each a block of progress: r and S of its edges are all that an attempt can go on with.
    private static var sequence: String {
      var generator = SeededGenerator(seed: 3)
      func rows(_ rows: Int, _ columns: Int) -> String {
        JobText.rows(generator.numbers(rows * columns, scale: 0.3), columns)
      }
      return #"""
        {"version": 1, "strategy": "forward", "network": {"type": "recurrent", "recurrent_units": 16,
        "layers": [{"weights": \#(rows(32, 24)), "activation": "tanh"},
        {"weights": \#(rows(20, 32)), "activation": "tanh"}]},
        "inputs": \#(rows(1000, 8)), "gradients": ["parameter-jacobian"]}
        """#
    }

    // 1. It went on within the sequence. 2. The bytes are those of an undisturbed run. 3. Nothing is left. 4. The plan said
    // what room that takes: twice r and S, of 16 rows of 1280 numbers. A row of W2 that gives y alone owes nothing to the past.
    @Test(.timeLimit(.minutes(3)))
    func `within one long sequence whose worker was killed`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--checkpoint", "0.01"])
      try queue.drop(JobText(samples: 2).json, as: "first.json")
      try await queue.wait(for: "first")
      try queue.drop(Self.sequence, as: "long.json")
      try await eventually("there is a record; log:\n\(queue.log)") {
        queue.isThere("results/.partial-2-1/.progress")
      }
      for worker in daemon.workers { kill(worker, SIGKILL) }
      try await queue.wait(for: "long", [.succeeded])
      let job = try #require(try queue.job(2))
      #expect(job.resumptions == 1 && job.attempts == 2, "1; log:\n\(queue.log)")
      #expect(try #require(job.resumedFrom) > 0, "1")
      let result = try queue.result("long")
      let reference = try TemporaryFolder()
      try reference.write(Self.sequence, to: "long.json")
      let run = try await ProgramRun(
        Binaries.nnjobs, ["run", "-t", "1", "long.json"], in: reference)
      #expect(run.status == 0, "\(run.errors)")
      let expected = try PublishedFolder(reference("results/long"))
      for array in expected.arrays {
        let isSame = try result.bytes(of: array) == expected.bytes(of: array)
        #expect(isSame, "2: \(array)")
      }
      #expect(result.files == expected.files, "3")
      #expect(try await queue.nnjobs("result", "--verify", "2").status == 0, "2")
      let check = try await ProgramRun(
        Binaries.nnjobs, ["check", "--json", "long.json"], in: reference)
      #expect(check.output.contains("\"bytes_meanwhile\":\(2 * 8 * (16 + 16 * 1280)),"), "4")
      try await daemon.end(SIGTERM)
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
