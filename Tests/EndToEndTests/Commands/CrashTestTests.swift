import Foundation
import Store
import TestSupport
import Testing

@testable import nnjobs

extension EndToEnd {
  @Suite struct `nnjobs doctor --crash-test` {
    /// One way's member of the JSON object.
    private static func ways(_ run: ProgramRun) throws -> [[String: Any]] {
      let whole = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let test = whole?["crash_test"] as? [String: Any]
      return try #require(test?["ways"] as? [[String: Any]], "\(run.output)\(run.errors)")
    }

    @Test(.timeLimit(.minutes(5)))
    func `kills daemon, worker and commands, finds nothing, and leaves nothing`() async throws {
      let folder = try TemporaryFolder()
      let run = try await ProgramRun(
        Binaries.nnjobs, ["doctor", "--crash-test", ".", "--kills", "4", "--json"], in: folder)
      #expect(run.status == 0, "\(run.output)\(run.errors)")
      let ways = try Self.ways(run)
      #expect(
        ways.map { $0["killed"] as? String } == [
          "daemon", "daemon", "worker", "command", "command",
        ])
      for way in ways {
        #expect(way["kills"] as? Int ?? 0 >= 3, "\(way)")
        #expect(way["calls"] as? Int ?? 0 >= 6, "\(way)")
        #expect((way["failures"] as? [Any])?.isEmpty == true, "\(way)")
      }
      #expect(try folder.names(in: ".") == [])
    }

    /// A daemon that removes what was claimed when it is started a second time on a queue.
    @Test(.timeLimit(.minutes(5)))
    func `finds that a daemon loses a job, and keeps its queue`() async throws {
      let folder = try TemporaryFolder()
      try FileManager.default.createDirectory(
        atPath: folder("bin"), withIntermediateDirectories: false)
      try FileManager.default.createDirectory(
        atPath: folder("here"), withIntermediateDirectories: false)
      try FileManager.default.copyItem(atPath: Binaries.nnjobs, toPath: folder("bin/nnjobs"))
      try folder.write(
        """
        #!/bin/sh
        if [ -e "$PWD.started" ]; then rm -f .nnjobs/claimed/*; fi
        : >"$PWD.started"
        exec \(Binaries.nnjobsd) "$@"
        """, to: "bin/nnjobsd")
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: folder("bin/nnjobsd"))

      let run = try await ProgramRun(
        folder("bin/nnjobs"), ["doctor", "--crash-test", "here", "--kills", "2", "--json"],
        in: folder)
      #expect(run.status == 1, "\(run.output)\(run.errors)")
      let serve = try #require(
        try Self.ways(run).first { $0["way"] as? String == "\(CrashWay.serve.rawValue)" })
      let failures = try #require(serve["failures"] as? [[String: Any]])
      #expect(failures.map { $0["number"] as? Int }.first == 1, "\(serve)")
      let faults = failures.first?["faults"] as? [String] ?? []
      #expect(faults.contains { $0.contains("cancelled") }, "\(faults)")
      let kept = try #require(failures.first?["kept"] as? String)
      #expect(FileManager.default.fileExists(atPath: kept + "/.nnjobs/store.sqlite"))
      #expect(FileManager.default.fileExists(atPath: kept + ".log"))
    }

    @Test(.timeLimit(.minutes(2)))
    func `judges each kind of damage`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(CrashJobs.succeeding, as: "succeeding.json")
      try queue.drop(CrashJobs.failing, as: "failing.json")
      try queue.drop(CrashJobs.refused, as: "refused.json")
      try await queue.wait(forCount: 3)
      try await daemon.end(SIGTERM)
      let judged = CrashQueue(in: queue.folder.path)
      let judge = CrashJudge(reference: [
        "succeeding": try judged.contents(of: "succeeding")
      ])
      let expected: [CrashJudge.Expectation] = [
        .init(name: "succeeding", states: [.succeeded]), .init(name: "failing", states: [.failed]),
        .init(name: "refused.json", states: [.refused]),
      ]
      // 1. Undamaged there is nothing to say.
      #expect(judge.faults(of: judged, expected) == [], "1")
      // 2. A job too many, one too few, one in another state.
      #expect(
        judge.faults(of: judged, expected + [.init(name: "own", states: [.succeeded])])
          == ["job own is lost"], "2")
      #expect(
        judge.faults(of: judged, Array(expected.dropLast())) == ["nobody dropped job refused.json"],
        "2")
      #expect(
        judge.faults(of: judged, [.init(name: "failing", states: [.succeeded])] + expected)
          .first?.hasPrefix("job failing is failed, not succeeded: ") == true, "2")
      // 3. A changed byte, a file in the inbox, a result and a claimed file that are gone.
      let array = "results/succeeding/outputs.npy"
      var bytes = try Data(contentsOf: URL(filePath: queue.folder(array)))
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: URL(filePath: queue.folder(array)))
      #expect(
        judge.faults(of: judged, expected).first
          == "result succeeding is not as in an undisturbed run: outputs.npy", "3")
      try queue.drop("", as: "more.json")
      #expect(judge.faults(of: judged, expected).contains("left in the inbox: more.json"), "3")
      try FileManager.default.removeItem(atPath: queue.folder("results/succeeding"))
      #expect(
        judge.faults(of: judged, expected).contains("results/ has nothing, the store succeeding"),
        "3")
      let claim = try #require(try queue.folder.names(in: ".nnjobs/claimed").first)
      try FileManager.default.removeItem(atPath: queue.folder(".nnjobs/claimed/\(claim)"))
      #expect(
        judge.faults(of: judged, expected).contains(
          "claimed files are nothing, the store's \(claim)"),
        "3")
    }
  }
}

@Suite struct `A crash test` {
  @Test func `spreads its kills from the first call to the last`() {
    #expect(CrashTest.spread(5, limit: nil) == [1, 2, 3, 4, 5])
    #expect(CrashTest.spread(10, limit: 3) == [1, 5, 10])
    #expect(CrashTest.spread(3, limit: 10) == [1, 2, 3])
    #expect(CrashTest.spread(7, limit: 1) == [1])
    #expect(CrashTest.spread(0, limit: nil) == [])
  }

  @Test func `says where it is forbidden`() {
    let complaint = Complaint.crashTestForbidden(call: "ptrace", code: EPERM)
    #expect(
      complaint.sentence.hasPrefix("cannot watch nnjobsd with ptrace: Operation not permitted; "))
    #expect(complaint.exitCode == .notPermitted)
  }
}
