import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs logs` {
    @Test(.timeLimit(.minutes(2)))
    func `tells what happened to a job, by attempt, and forgets it with the job`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try await eventually("it gets on") { (try queue.job("runs")?.progress ?? 0) > 0 }
      for worker in daemon.workers { kill(worker, SIGKILL) }
      try await eventually("it runs again; log:\n\(queue.log)") {
        let job = try queue.job("runs")
        return job?.state == .running && job?.attempts == 2
      }
      try queue.ask("cancel", 1)
      try await queue.wait(for: "runs", [.cancelled])
      let run = try await queue.nnjobs("logs", "1")
      #expect(run.status == 0 && run.errors == "")
      let texts = run.output.split(separator: "\n").map { $0.dropFirst(21) }
      let owner = geteuid() == 0 ? "root" : NSUserName()
      #expect(texts.first == "admitted as runs, dropped by \(owner)", "\(run.output)")
      for words in [
        "attempt 1 starts: ", "attempt 1 ended: its worker was killed by signal 9",
        "attempt 2 starts: ", "cancel, asked by user \(geteuid()): told to stop",
        "attempt 2 ended: runs was cancelled while it ran; the job is cancelled",
      ] { #expect(texts.contains { $0.hasPrefix(words) }, "\(words) in \(run.output)") }
      let json = try await queue.nnjobs("logs", "--json", "1")
      #expect(json.output.hasPrefix(#"{"id":1,"lines":[{"text":"admitted as runs"#))
      #expect(try await queue.nnjobs("logs", "9").status == 2)
      #expect(try await queue.nnjobs("remove", "1").status == 0)
      #expect(try queue.folder.names(in: ".nnjobs/logs") == [])
      try await daemon.end(SIGTERM)
    }
  }
}
