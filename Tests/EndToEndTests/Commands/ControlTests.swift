import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs cancel and retry` {
    @Test(.timeLimit(.minutes(2)))
    func `act, and exit codes tell what became of jobs`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try queue.drop(BadFile.good, as: "waits.json")
      try await queue.wait(for: "waits", [.queued])

      func check(
        _ run: ProgramRun, _ status: Int32, _ output: String = "", errors: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
      ) {
        #expect(run.status == status, sourceLocation: sourceLocation)
        #expect(run.output == output, sourceLocation: sourceLocation)
        #expect(run.errors == errors, sourceLocation: sourceLocation)
      }
      check(
        try await queue.nnjobs("wait", "--timeout", "0.1", "2"), 3,
        errors: "nnjobs: stopped waiting after 100 ms: job 2 not ended\n")
      check(
        try await queue.nnjobs("result", "2"), 2,
        errors:
          "nnjobs: cannot show the result of job 2: it is queued; wait for it with `nnjobs wait 2`\n"
      )
      check(try await queue.nnjobs("cancel", "2"), 0, "job 2 (waits) is cancelled\n")
      let cancelled =
        "nnjobs: job 2 (waits) was cancelled: waits was cancelled by user \(geteuid()) before it started\n"
      check(try await queue.nnjobs("wait", "2"), 1, errors: cancelled)
      check(try await queue.nnjobs("result", "2"), 1, errors: cancelled)
      check(
        try await queue.nnjobs("cancel", "2"), 2,
        errors: "nnjobs: cannot cancel job 2: it was cancelled\n")
      check(try await queue.nnjobs("retry", "2"), 0, "job 2 (waits) is queued again\n")
      check(try await queue.nnjobs("cancel", "1"), 0, "job 1 (runs) is cancelled\n")
      check(
        try await queue.nnjobs("wait", "1"), 1,
        errors: "nnjobs: job 1 (runs) was cancelled: runs was cancelled while it ran\n")
      check(try await queue.nnjobs("wait", "2"), 0)
      check(
        try await queue.nnjobs("retry", "2"), 2,
        errors: "nnjobs: cannot retry job 2: it has succeeded\n")
      check(
        try await queue.nnjobs("retry", "--failed"), 2, errors: "nnjobs: no failed jobs\n")
      for command in ["status", "wait", "result", "cancel", "retry"] {
        check(
          try await queue.nnjobs(command, "99"), 2,
          errors:
            "nnjobs: cannot find job 99: the store has none of that id; `nnjobs status --all-users` lists them\n"
        )
      }
      try await daemon.end(SIGTERM)
      check(
        try await queue.nnjobs("retry", "1"), 0,
        "job 1 (runs) will be queued again once a daemon runs\n")
      try queue.folder.write(BadFile.good, to: "later.json")
      check(
        try await queue.nnjobs("submit", "later.json"), 0,
        errors: "nnjobs: later.json waits in jobs: no daemon runs; start nnjobsd\n")
      check(
        try await queue.nnjobs("submit", "--wait", "later.json"), 4,
        errors:
          "nnjobs: cannot wait for what is submitted: no daemon holds .nnjobs/daemon.lock; start nnjobsd\n"
      )
      let next = try await RunningDaemon(on: queue, ["--workers", "1"])
      try await queue.wait(for: "runs", [.running])
      try await queue.wait(for: "later", [.queued])
      check(try await queue.nnjobs("cancel", "1"), 0, "job 1 (runs) is cancelled\n")
      check(try await queue.nnjobs("wait", "3"), 0)
      try await next.end(SIGTERM)
    }

    @Test(
      .timeLimit(.minutes(2)),
      .enabled(
        if: geteuid() == 0 && Binaries.ofSystem("setpriv") != nil, "only root can be another"))
    func `nobody but its owner and root may cancel or retry a job`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "mine.safetensors")
      try await queue.wait(for: "mine", [.running])
      let setpriv = try #require(Binaries.ofSystem("setpriv"))
      let run = try await ProgramRun(
        setpriv,
        ["--reuid", "65534", "--regid", "65534", "--clear-groups", Binaries.nnjobs, "cancel", "1"],
        in: queue.folder)
      #expect(run.status == 5)
      #expect(
        run.errors
          == "nnjobs: cannot cancel job 1: it belongs to root; only root may\n")
      #expect(try queue.job("mine")?.state == .running)
      try await daemon.end(SIGTERM)
    }
  }
}
