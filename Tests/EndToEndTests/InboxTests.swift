import Foundation
import Glibc
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The inbox` {
    @Test(.timeLimit(.minutes(2)))
    func `files dropped while no daemon runs are taken at its start`() async throws {
      let queue = try TestQueue()
      for k in 1...20 { try queue.drop(JobText(seed: UInt64(k)).json, as: "early-\(k).json") }
      let daemon = try await RunningDaemon(on: queue)
      try await queue.wait(forCount: 20)
      #expect(try queue.jobs().count { $0.state == .succeeded } == 20)
      #expect(try queue.folder.names(in: "jobs") == ["refused"])
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `of 300 files at once each is computed exactly once`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      for k in 1...300 {
        try Data(JobText(widths: [2, 3, 1], seed: UInt64(k)).json.utf8)
          .write(to: URL(filePath: queue.folder("staging/job\(k).json")))
      }
      for k in 1...300 { try queue.moveIn("job\(k).json") }
      try await queue.wait(forCount: 300)
      let jobs = try queue.jobs()
      #expect(jobs.map(\.id) == Array(1...300))
      #expect(Set(jobs.map(\.name)) == Set((1...300).map { "job\($0)" }))
      #expect(jobs.allSatisfy { $0.state == .succeeded && $0.attempts == 1 })
      #expect(try queue.folder.names(in: "results") == (1...300).map { "job\($0)" }.sorted())
      try await daemon.end(SIGTERM)
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == [])
    }

    @Test(.timeLimit(.minutes(2)))
    func `a file that is copied in by writing is taken when it is closed`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      let bytes = Array(JobText(samples: 50).json.utf8)
      // A writer that stops midway has closed its file, too.
      let path = queue.folder("jobs/slow.json")
      try Data(bytes[..<1000]).write(to: URL(filePath: path))
      try await eventually("it is seen; log:\n\(queue.log)") {
        queue.log.contains("wait slow.json: ")
      }
      let file = try FileHandle(forWritingTo: URL(filePath: path))
      try file.seekToEnd()
      for start in stride(from: 1000, to: bytes.count, by: 1000) {
        try file.write(contentsOf: bytes[start..<min(start + 1000, bytes.count)])
      }
      try file.close()
      #expect(try await queue.wait(for: "slow").state == .succeeded)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a file that came by link(2) waits for its last name and is then found by a scan`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      try Data(JobText().json.utf8).write(to: URL(filePath: queue.folder("staging/own.json")))
      unsafe link(queue.folder("staging/own.json"), queue.folder("jobs/linked.json"))
      try await eventually("it is seen; log:\n\(queue.log)") {
        queue.log.contains(
          "wait linked.json: cannot take jobs/linked.json: it has 2 hard links; drop a copy\n")
      }
      #expect(queue.isThere("jobs/linked.json"))
      unsafe unlink(queue.folder("staging/own.json"))
      #expect(try await queue.wait(for: "linked").state == .succeeded)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `the inbox may be removed and made again`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      try queue.drop(JobText().json, as: "before.json")
      try await queue.wait(for: "before")
      try FileManager.default.removeItem(atPath: queue.folder("jobs"))
      try await eventually("its absence is noticed; log:\n\(queue.log)") {
        queue.log.contains("the inbox jobs is gone; waiting for it to be made again\n")
      }
      try FileManager.default.createDirectory(
        atPath: queue.folder("jobs"), withIntermediateDirectories: false)
      try queue.drop(JobText().json, as: "after.json")
      #expect(try await queue.wait(for: "after").state == .succeeded)
      // Its folder for refused files went, too.
      try queue.drop("no job", as: "wrong.json")
      #expect(try await queue.wait(for: "wrong.json").state == .refused)
      #expect(queue.isThere("jobs/refused/wrong.json.reason.txt"))
      try await daemon.end(SIGTERM)
    }
  }
}
