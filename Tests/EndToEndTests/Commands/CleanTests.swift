import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs clean and remove` {
    /// A queue with a succeeded, a refused and a cancelled job, ids 1, 2 and 3.
    private func queue(
      _ body: (TestQueue, RunningDaemon) async throws -> Void
    ) async throws -> TestQueue {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(BadFile.good, as: "good.json")
      try await queue.wait(for: "good", [.succeeded])
      try queue.drop("{}", as: "bad.json")
      try await queue.wait(for: "bad.json", [.refused])
      try queue.drop(JobText.endless.sparse, as: "endless.safetensors")
      try await queue.wait(for: "endless", [.running])
      try queue.ask("cancel", 3)
      try await queue.wait(for: "endless", [.cancelled])
      try await body(queue, daemon)
      if daemon.isRunning { try await daemon.end(SIGTERM) }
      return queue
    }

    @Test(.timeLimit(.minutes(2)))
    func `forget one job, with its result or without, and its id is never given again`()
      async throws
    {
      let queue = try await queue { queue, daemon in
        #expect(
          try await queue.nnjobs("remove", "3", "1").output
            == "job 3 (endless) is removed\njob 1 (good) is removed\n")
        #expect(try queue.jobs().map(\.id) == [2])
        #expect(queue.isThere("results/good/manifest.json"), "results stay")
        #expect(try queue.folder.names(in: ".nnjobs/claimed") == [])
        try queue.drop(BadFile.good, as: "more.json")
        #expect(try await queue.wait(for: "more", [.succeeded]).id == 4)
        let run = try await queue.nnjobs("remove", "--with-results", "-", input: "2\n4\n")
        #expect(run.status == 0 && run.errors == "")
        #expect(!queue.isThere("results/more"))
        #expect(try queue.folder.names(in: "jobs/refused") == [])
        #expect(try queue.jobs() == [])
        // What is forgotten stays so.
        try await daemon.end(SIGKILL)
        let next = try await RunningDaemon(on: queue, ["--workers", "1"])
        #expect(try queue.jobs() == [])
        try await next.end(SIGTERM)
      }
      #expect(try queue.folder.names(in: "results") == ["good"])
    }

    @Test(.timeLimit(.minutes(2)))
    func `keep the row of a job whose file cannot be removed, so that no start runs it again`()
      async throws
    {
      _ = try await queue { queue, daemon in
        // A folder in the file's place: unlink(2) refuses it, to root as well.
        let claimed = queue.folder(".nnjobs/claimed/3-endless.safetensors")
        try FileManager.default.removeItem(atPath: claimed)
        try FileManager.default.createDirectory(
          atPath: claimed, withIntermediateDirectories: false)
        try queue.ask("remove", 3)
        try await eventually("the request is answered") { !queue.isThere("jobs/.remove-3") }
        #expect(try queue.jobs().map(\.id).contains(3))
        #expect(
          queue.log.contains("remove 3, user \(geteuid()): not removed: cannot remove "),
          "\(queue.log)")
        try FileManager.default.removeItem(atPath: claimed)
        #expect(try await queue.nnjobs("remove", "3").output == "job 3 (endless) is removed\n")
      }
    }

    @Test(
      .enabled(if: geteuid() == 0, "only root can give a file away"), .timeLimit(.minutes(2)))
    func `make room for a user whose results take what they may, through a crash`() async throws {
      let queue = try TestQueue()
      let options = ["--workers", "1", "--user-results", "60 KiB"]
      let daemon = try await RunningDaemon(on: queue, options)
      func drop(_ name: String, as uid: UInt32 = 5) throws {
        try queue.folder.write(BadFile.good, to: "staging/\(name).json")
        unsafe chown(queue.folder("staging/\(name).json"), uid, 0)
        try queue.moveIn("\(name).json")
      }
      func ask(_ verb: String, _ id: Int64) async throws {
        let name = ".\(verb)-\(id)"
        try queue.folder.write("", to: "staging/" + name)
        unsafe chown(queue.folder("staging/" + name), 5, 0)
        try queue.moveIn(name)
        try await eventually("\(name) is carried out") { !queue.isThere("jobs/" + name) }
      }
      for name in ["a", "b"] {
        try drop(name)
        try await queue.wait(for: name, [.succeeded])
      }
      // 1. The third waits, root's does not; a crash of the daemon changes nothing.
      try drop("c")
      try await eventually("c is put off") { try queue.job("c")?.notBefore != nil }
      try await daemon.end(SIGKILL)
      let next = try await RunningDaemon(on: queue, options)
      try drop("root", as: 0)
      try await queue.wait(for: "root", [.succeeded])
      let why = try await queue.nnjobs("why", "3")
      let words = "24.5 KiB; its user's take 49.0 KiB, and one user's may take 60.0 KiB in all"
      #expect(
        why.output.contains("  user-results  its results take \(words)\n"), "1: \(why.output)")
      #expect(
        why.output.contains("→ remove results that are no longer needed, as with nnjobs"), "1")
      let doctor = try await queue.nnjobs("doctor")
      #expect(
        doctor.output.contains(
          /user results +those of one user may take 60.0 KiB; the most is .+'s, 49.0 KiB/),
        "1: \(doctor.output)")
      // 2. Forgetting a job makes no room, and its result can still be removed.
      try await ask("remove", 1)
      try await ask("release", 3)
      try await eventually("c is put off again") {
        try queue.job("c")?.notBefore != nil && queue.job(1) == nil
      }
      let removal = try await queue.nnjobs("remove", "--with-results", "1")
      #expect(
        removal.output == "the result a of the forgotten job 1 is removed\n", "2: \(removal)")
      #expect(!queue.isThere("results/a"), "2")
      try await queue.wait(for: "c", [.succeeded])
      #expect(try await queue.nnjobs("remove", "--with-results", "1").status == 2, "2")
      try await next.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)), arguments: [true, false])
    func `forget what ended long ago, by the daemon and without one`(isServed: Bool) async throws {
      let queue = try await queue { queue, daemon in
        if !isServed { try await daemon.end(SIGTERM) }
        let none = try await queue.nnjobs("clean", "--older", "1h")
        #expect(none.status == 2 && none.output == "")
        #expect(none.errors == "nnjobs: nothing has ended that long ago\n")
        let dry = try await queue.nnjobs("clean", "--older", "0", "--dry-run")
        #expect(dry.status == 0 && dry.output.hasSuffix("would remove 3 jobs; results stay\n"))
        #expect(try queue.jobs().count == 3)
        let some = try await queue.nnjobs(
          "clean", "--older", "0", "--state", "refused,cancelled")
        #expect(some.status == 0 && some.output == "removed 2 jobs; results stay\n")
        #expect(try queue.jobs().map(\.name) == ["good"])
        let json = try await queue.nnjobs(
          "clean", "--older", "0s", "--with-results", "--json")
        #expect(
          json.output == #"{"asked":[],"bytes":16,"due":[],"removed":[1],"schema":1}"# + "\n")
      }
      #expect(try queue.jobs() == [])
      for folder in ["results", ".nnjobs/claimed", "jobs/refused"] {
        #expect(try queue.folder.names(in: folder) == [], "\(folder)")
      }
      #expect(try await queue.nnjobs("fsck").status == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func `happen by themselves where the daemon is told how long to keep`() async throws {
      let queue = try await queue { queue, daemon in try await daemon.end(SIGTERM) }
      let daemon = try await RunningDaemon(
        on: queue, ["--workers", "1", "--keep", "0", "--keep-results", "no"])
      try await eventually("all is forgotten; log:\n\(queue.log)") { try queue.jobs().isEmpty }
      try await eventually("the result goes too") {
        try queue.folder.names(in: "results").isEmpty
      }
      try await daemon.end(SIGTERM)
    }

    @Test(
      .timeLimit(.minutes(1)),
      arguments: [
        (["clean"], "nnjobs: clean needs --older AGE; write nnjobs clean --older AGE\n"),
        (
          ["clean", "--older", "old"],
          "nnjobs: option --older does not take \"old\"; it takes a duration as 90, 30s, 10m, 2h, 7d or 1w\n"
        ),
        (
          ["clean", "--older", "1d", "--state", "running"],
          "nnjobs: option --state does not take \"running\"; it takes states that a job ends in; cancel "
            + "jobs before they can be cleaned away\n"
        ),
      ])
    func `refuse what they cannot mean`(words: [String], errors: String) async throws {
      let run = try await ProgramRun(Binaries.nnjobs, words, in: try TemporaryFolder())
      #expect(run.status == 64 && run.errors == errors)
    }
  }
}
