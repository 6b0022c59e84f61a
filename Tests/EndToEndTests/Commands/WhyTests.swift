import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs why` {
    @Test(.timeLimit(.minutes(2)))
    func `names everything that keeps a job from running, with its cure`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try queue.drop(JobText(more: #", "priority": 3"#).json, as: "first.json")
      try await queue.wait(for: "first", [.queued])
      try queue.drop(JobText().json, as: "before.json")
      try await queue.wait(for: "before", [.queued])
      try queue.drop(JobText().json, as: "asked.json")
      try await queue.wait(for: "asked", [.queued])

      let runs = try await queue.nnjobs("why", "1")
      #expect(runs.output == "job 1 (runs) is running, attempt 1, on 1 core\n")
      let waits = try await queue.nnjobs("why", "4")
      #expect(
        waits.output == """
          job 4 (asked) is queued
            cores     all 1 cores are in use, by job 1
                      → it starts when one is free
            priority  ready jobs of a higher priority than its 0: 1
                      → it starts after them
            own-jobs  its user's own ready jobs of the same priority before it: 1
                      → it starts after them; hold or cancel some to let it pass

          """)
      _ = try await queue.nnjobs("hold", "4")
      let held = try await queue.nnjobs("why", "--json", "4")
      let cores =
        #"{"code":"cores","cure":"it starts when one is free","text":"all 1 cores are in use, by job 1"}"#
      let hold =
        #"{"code":"held","cure":"nnjobs release 4","text":"its owner or root holds it"}"#
      #expect(
        held.output
          == "{\"jobs\":[{\"id\":4,\"reasons\":[\(hold),\(cores)],\"state\":\"queued\"}],\"schema\":1}\n"
      )

      try queue.ask("cancel", 1)
      try await queue.wait(for: "runs", [.cancelled])
      let cancelled = try await queue.nnjobs("why", "1")
      #expect(
        cancelled.output
          == "job 1 (runs) was cancelled\n  cancelled  runs was cancelled while it ran\n"
          + "             → nnjobs retry 1 computes it after all\n")
      #expect(try await queue.nnjobs("why", "99").status == 2)

      // A daemon that is gone is a reason too.
      try await daemon.end(SIGTERM)
      let alone = try await queue.nnjobs("why", "4")
      #expect(alone.output.contains("  no-daemon  no daemon holds .nnjobs/daemon.lock\n"))
      #expect(alone.output.contains("→ start nnjobsd\n"))
    }
  }
}
