import Foundation
import Glibc
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `A job's life` {
    @Test(.timeLimit(.minutes(2)))
    func `SIGTERM returns a running job uncounted, and the next daemon finishes it`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      try queue.drop(JobText.long.sparse, as: "long.safetensors")
      try await queue.wait(for: "long", [.running])
      #expect(try await daemon.end(SIGTERM) == 0)
      #expect(daemon.messages.contains("STOPPING=1"))

      let returned = try #require(try queue.job("long"))
      #expect(returned.state == .queued && returned.attempts == 1 && returned.countedAttempts == 0)
      #expect(try queue.folder.names(in: "results") == [])
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == ["1-long.safetensors"])

      let next = try await RunningDaemon(on: queue)
      let done = try await queue.wait(for: "long")
      #expect(done.state == .succeeded && done.attempts == 2 && done.countedAttempts == 1)
      #expect(try queue.result("long").arrays == ["input-jacobian"])
      try await next.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `SIGTERM is not lost when it comes as soon as the daemon is ready`() async throws {
      let queue = try TestQueue()
      for _ in 1...25 {
        let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
        #expect(try await daemon.end(SIGTERM) == 0)
      }
    }

    @Test(.timeLimit(.minutes(2)))
    func `a job that kills its worker three times is quarantined, and no other is harmed`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "poison.safetensors")
      try await queue.wait(for: "poison", [.running])
      for k in 1...5 { try queue.drop(JobText(seed: UInt64(k)).json, as: "other-\(k).json") }
      var killed: Set<pid_t> = []
      for attempt in 1...3 {
        try await eventually("attempt \(attempt) runs; log:\n\(queue.log)") {
          let job = try queue.job("poison")
          return job?.state == .running && job?.attempts == attempt
            && daemon.workers.contains { !killed.contains($0) }
        }
        for worker in daemon.workers where killed.insert(worker).inserted { kill(worker, SIGKILL) }
      }
      #expect(killed.count == 3)
      let poison = try await queue.wait(for: "poison")
      #expect(poison.state == .failed)
      #expect(poison.reasonCode == "quarantined")
      #expect(
        poison.reasonText
          == "poison is quarantined: its worker was killed by signal 9 (Killed), 3 times in all; "
          + "nnjobs retry 1 tries it again")
      try await queue.wait(forCount: 6)
      for job in try queue.jobs() where job.name != "poison" {
        #expect(job.state == .succeeded && job.attempts == 1, "\(job.name)")
      }
      #expect(try queue.folder.names(in: "results") == (1...5).map { "other-\($0)" })

      // Its owner may try again, and it has three more lives.
      try queue.ask("retry", 1)
      let again = try await queue.wait(for: "poison", [.running])
      #expect(again.attempts == 4 && again.countedAttempts == 1)
      try queue.ask("cancel", 1)
      #expect(try await queue.wait(for: "poison").state == .cancelled)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a queued and a running job are cancelled, and tried again on request`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try queue.drop(JobText().json, as: "waits.json")
      try await queue.wait(for: "waits", [.queued])

      try queue.ask("cancel", 2)
      let waited = try await queue.wait(for: "waits")
      #expect(waited.state == .cancelled && waited.attempts == 0)
      #expect(waited.reasonCode == "cancelled")
      #expect(waited.reasonText == "waits was cancelled by user \(geteuid()) before it started")

      let workers = daemon.workers
      try queue.ask("cancel", 1)
      let ran = try await queue.wait(for: "runs")
      #expect(ran.state == .cancelled && ran.attempts == 1)
      #expect(ran.reasonCode == "cancelled")
      #expect(ran.reasonText == "runs was cancelled while it ran")
      #expect(daemon.workers == workers, "its worker stays")

      try queue.ask("retry", 2)
      try await eventually("waits runs after all; log:\n\(queue.log)") {
        try queue.job("waits")?.state == .succeeded
      }
      #expect(try queue.folder.names(in: "results") == ["waits"])
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == ["1-runs.safetensors"])
      #expect(try queue.folder.names(in: "jobs") == ["refused"], "requests are taken away")
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a worker that does not stop is killed after its grace, and the job is cancelled`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--grace", "0.2"])
      try queue.drop(JobText.endless.sparse, as: "stuck.safetensors")
      try await queue.wait(for: "stuck", [.running])
      for worker in daemon.workers { kill(worker, SIGSTOP) }
      try queue.ask("cancel", 1)
      let job = try await queue.wait(for: "stuck")
      #expect(job.state == .cancelled)
      #expect(job.reasonText == "stuck was cancelled; its worker had to be killed")
      try queue.drop(JobText().json, as: "next.json")
      #expect(try await queue.wait(for: "next").state == .succeeded)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)), .enabled(if: geteuid() == 0, "only root can give a file away"))
    func `nobody but its owner and root cancels a job`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "mine.safetensors")
      try await queue.wait(for: "mine", [.running])
      try Data().write(to: URL(filePath: queue.folder("staging/.cancel-1")))
      unsafe chown(queue.folder("staging/.cancel-1"), 65534, 65534)
      try queue.moveIn(".cancel-1")
      try await eventually("it is denied; log:\n\(queue.log)") {
        queue.log.contains("cancel 1, user 65534: not permitted: it is user 0's\n")
      }
      #expect(try queue.job("mine")?.state == .running)
      try queue.ask("cancel", 1)
      #expect(try await queue.wait(for: "mine").state == .cancelled)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a job that runs longer than it may is failed with the numbers, and its worker stays`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--time-limit", "0.5"])
      try queue.drop(JobText.endless.sparse, as: "slow.safetensors")
      try await queue.wait(for: "slow", [.running])
      let workers = daemon.workers
      let job = try await queue.wait(for: "slow")
      #expect(job.state == .failed && job.reasonCode == "time-limit")
      #expect(
        job.reasonText
          == "slow was ended after 0.5 s, its time limit; give it a longer time_limit, "
          + "or split it into several jobs")
      #expect(daemon.workers == workers)
      try queue.drop(JobText(more: #", "time_limit": 60"#).json, as: "quick.json")
      #expect(try await queue.wait(for: "quick").state == .succeeded)
      #expect(try queue.job("quick")?.timeLimit == 60)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a worker that does not stop at its time limit is killed after the grace`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--grace", "0.2"])
      var text = JobText.endless
      text.more = #", "time_limit": 0.5"#
      try queue.drop(text.sparse, as: "stuck.safetensors")
      try await queue.wait(for: "stuck", [.running])
      for worker in daemon.workers { kill(worker, SIGSTOP) }
      let job = try await queue.wait(for: "stuck")
      #expect(job.state == .failed && job.reasonCode == "time-limit")
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `jobs start in order of their priority`() async throws {
      let queue = try TestQueue()
      for (name, priority) in [("low", -5), ("middle", 0), ("high", 7), ("high-too", 7)] {
        try queue.drop(JobText(more: #", "priority": \#(priority)"#).json, as: "\(name).json")
      }
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try await queue.wait(forCount: 4)
      let order = try queue.jobs().sorted { ($0.started ?? 0) < ($1.started ?? 0) }
      #expect(Set(order.prefix(2).map(\.name)) == ["high", "high-too"])
      #expect(order[0].id < order[1].id, "equals go in the order of their ids")
      #expect(order.suffix(2).map(\.name) == ["middle", "low"])
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `the same name twice gives two results`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      for k in 1...2 {
        try queue.drop(JobText(seed: UInt64(k)).json, as: "twin.json")
        try await queue.wait(forCount: k)
      }
      #expect(try queue.jobs().map(\.result) == ["twin", "twin-2"])
      let first = try queue.result("twin").bytes(of: "outputs")
      #expect(try queue.result("twin-2").bytes(of: "outputs") != first)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a job that asks for it is verified, and its manifest says how well it did`() async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      let gradients = #"["parameter-jacobian", "input-jacobian", "loss-gradient"]"#
      try queue.drop(
        JobText(samples: 5, gradients: gradients, more: #", "verify": true"#).json,
        as: "checked.json")
      #expect(try await queue.wait(for: "checked").state == .succeeded)
      let checks = try #require(
        try queue.result("checked").manifest()["verification"] as? [[String: Any]])
      #expect(!checks.isEmpty)
      for check in checks {
        let error = try #require(check["error"] as? Double)
        let tolerance = try #require(check["tolerance"] as? Double)
        #expect(check["passed"] as? Bool == true && error <= tolerance)
      }
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a second daemon refuses to serve the same queue`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      let second = try await ProgramRun(Binaries.nnjobsd, [], in: queue.folder)
      #expect(second.status == 74)
      #expect(
        second.errors
          == "nnjobsd: cannot serve the queue: another nnjobsd holds .nnjobs/daemon.lock; stop it first\n"
      )
      try queue.drop(JobText().json, as: "unharmed.json")
      #expect(try await queue.wait(for: "unharmed").state == .succeeded)
      try await daemon.end(SIGTERM)
    }
  }
}

extension JobText {
  /// A job of about 70 GFLOP: a second or two on a core of today. Its results are small.
  static let long = endless(samples: 1024)
  /// A job that no test waits for; read at once, since reading hears no request. Its results take 200 MB.
  static let endless = endless(samples: 100_000)

  private static func endless(samples: Int) -> JobText {
    JobText(
      widths: [16, 1024, 1024, 16], samples: samples, gradients: #"["input-jacobian"]"#,
      hasTargets: false)
  }
}
