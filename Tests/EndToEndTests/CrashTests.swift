import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `kill -9` {
    @Test(.timeLimit(.minutes(5)))
    func `at ten random moments of 200 jobs leaves each done once, and right`() async throws {
      let reference = try await undisturbed()

      let queue = try TestQueue()
      let documents = MixedJobs.documents
      let names = (0..<200).map { "job\($0)-\(documents[$0 % documents.count].name)" }
      func drop(_ numbers: Range<Int>) throws {
        for k in numbers {
          try queue.drop(documents[k % documents.count].text, as: names[k] + ".json")
        }
      }
      try drop(0..<100)
      var moments = SeededGenerator(seed: 9)
      var daemon = try await RunningDaemon(on: queue)
      var dropped = 100
      for number in 1...10 {
        try await eventually("\(15 * number) jobs end; log:\n\(queue.log)") {
          try queue.jobs().count { $0.state.isFinal } >= 15 * number
        }
        // Not a wait for anything: the moment is meant to be a random one.
        try await Task.sleep(for: .microseconds(Int.random(in: 0..<30_000, using: &moments)))
        if number.isMultiple(of: 2) {
          try await eventually("there are workers") { !daemon.workers.isEmpty }
          if let worker = daemon.workers.randomElement(using: &moments) { kill(worker, SIGKILL) }
          try drop(dropped..<dropped + 10)
        } else {
          // While it takes files in.
          try drop(dropped..<dropped + 5)
          #expect(try await daemon.end(SIGKILL) == -SIGKILL)
          try drop(dropped + 5..<dropped + 10)
          daemon = try await RunningDaemon(on: queue)
        }
        dropped += 10
      }
      try await queue.wait(forCount: names.count, within: .seconds(120))
      #expect(try await daemon.end(SIGTERM) == 0)

      // 1. Every file became one job, and every job succeeded.
      let jobs = try queue.jobs()
      #expect(jobs.map(\.name).sorted() == names.sorted(), "1")
      for job in jobs {
        #expect(job.state == .succeeded && job.result == job.name, "1: \(job)")
        let ends = queue.log.split(separator: "\n").count {
          $0.hasPrefix("end \(job.id) ") && $0.hasSuffix(": succeeded")
        }
        #expect(ends <= 1, "1: \(job)")
      }
      #expect(jobs.contains { $0.attempts > 1 }, "1: no moment hit a running job")
      // 2. Nothing else is left anywhere.
      #expect(try queue.folder.names(in: "results") == names.sorted(), "2")
      #expect(try queue.folder.names(in: "jobs") == ["refused"], "2")
      #expect(try queue.folder.names(in: "jobs/refused") == [], "2")
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == [], "2")
      // 3. Every result is the undisturbed one, byte for byte, and says whose it is.
      for job in jobs {
        let kind = try #require(job.name.split(separator: "-").last.map(String.init))
        let result = try queue.result(job.name)
        let manifest = try result.manifest()
        #expect(
          manifest["id"] as? Int == Int(job.id) && manifest["name"] as? String == job.name, "3")
        #expect(try result.contents() == reference[kind], "3: \(job.name)")
      }
    }

    @Test(.timeLimit(.minutes(3)))
    func `between a claim and its row loses nothing`() async throws {
      let queue = try TestQueue()
      try await killing(queue, until: ": claimed, and now in the store\n") { number in
        ".nnjobs/claimed/\(number)-job\(number).json"
      }
    }

    @Test(.timeLimit(.minutes(3)))
    func `between a result and its row does nothing twice`() async throws {
      let queue = try TestQueue()
      try await killing(queue, until: ": it was published as job") { "results/job\($0)" }
    }

    /// Drops one job after the other and kills the daemon as soon as something is there, until it has been in time
    /// three times, as the next daemon's log says.
    private func killing(
      _ queue: TestQueue, until words: String, asSoonAs path: (Int) -> String
    ) async throws {
      var count = 0
      while queue.log.split(separator: words).count <= 3 {
        count += 1
        let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
        try queue.drop(JobText(seed: UInt64(count)).json, as: "job\(count).json")
        let deadline = ContinuousClock.now + .seconds(20)
        // Without a pause: what is to be hit takes about a millisecond.
        while !queue.isThere(path(count)) && ContinuousClock.now < deadline {}
        #expect(try await daemon.end(SIGKILL) == -SIGKILL)
        try #require(count < 100, "the moment is never hit; log:\n\(queue.log)")
        let next = try await RunningDaemon(on: queue, ["--workers", "1"])
        try await queue.wait(forCount: count)
        try await next.end(SIGTERM)
      }
      let names = (1...count).map { "job\($0)" }
      #expect(try queue.jobs().map(\.name) == names)
      #expect(try queue.jobs().map(\.id) == (1...count).map(Int64.init))
      #expect(try queue.jobs().allSatisfy { $0.state == .succeeded && $0.result == $0.name })
      #expect(try queue.folder.names(in: "results") == names.sorted())
      #expect(try queue.folder.names(in: "jobs") == ["refused"])
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == [])
    }

    /// Every document's result, by the document's name.
    private func undisturbed() async throws -> [String: [String: Data]] {
      let queue = try TestQueue()
      for (name, text) in MixedJobs.documents { try queue.drop(text, as: name + ".json") }
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try await queue.wait(forCount: MixedJobs.documents.count)
      var contents: [String: [String: Data]] = [:]
      for (name, _) in MixedJobs.documents {
        contents[name] = try queue.result(name).contents()
      }
      try await daemon.end(SIGTERM)
      return contents
    }
  }
}
