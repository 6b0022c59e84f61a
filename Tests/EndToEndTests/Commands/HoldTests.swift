import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs hold and release` {
    @Test(.timeLimit(.minutes(2)))
    func `a held job waits, is shown as held, and runs once it is released`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "runs", [.running])
      try queue.drop(JobText().json, as: "kept.json")
      try await queue.wait(for: "kept", [.queued])

      let hold = try await queue.nnjobs("hold", "2")
      #expect(hold.output == "job 2 (kept) is held\n" && hold.status == 0)
      let again = try await queue.nnjobs("hold", "1", "2")
      #expect(
        again.errors == "nnjobs: cannot hold job 1: it is running; cancel it, or let it end\n"
          + "nnjobs: cannot hold job 2: it is queued; it is held already\n")
      #expect(again.status == 2)
      let page = try await queue.nnjobs("status", "2")
      #expect(page.output.contains("held       until `nnjobs release 2`\n"))
      let json = try await queue.nnjobs("status", "--json", "2")
      #expect(json.output.contains(#""held":true"#))

      // What came later overtakes it.
      try queue.drop(JobText().json, as: "next.json")
      try await queue.wait(for: "next", [.queued])
      try queue.ask("cancel", 1)
      #expect(try await queue.wait(for: "next").state == .succeeded)
      #expect(try queue.job(2)?.state == .queued)

      // A restart forgets no hold.
      try await daemon.end(SIGKILL)
      let restarted = try await RunningDaemon(on: queue, ["--workers", "1"])
      #expect(try queue.job(2)?.isHeld == true)
      let release = try await queue.nnjobs("release", "2")
      #expect(release.status == 0 && release.output.hasPrefix("job 2 (kept) "))
      #expect(try await queue.wait(for: "kept").state == .succeeded)
      let late = try await queue.nnjobs("release", "2")
      #expect(late.errors == "nnjobs: cannot release job 2: it has succeeded\n")
      try await restarted.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `a removed job leaves no row and no file, and no start makes one of it again`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      for name in ["one", "two"] { try queue.drop(JobText().json, as: "\(name).json") }
      try await queue.wait(forCount: 2)
      try queue.drop("{", as: "bad.json")
      try queue.drop(JobText(gradients: #"["nothing"]"#).json, as: "wrong.json")
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await queue.wait(for: "wrong.json", [.refused])
      let runs = try await queue.wait(for: "runs", [.running])

      // 1. With its result. 2. Without. 3. A refused file. 4. A running job stays, a cancelled one goes.
      let ids = try ["one", "two", "wrong.json"].map { try #require(try queue.job($0)).id }
      try queue.ask("remove-result", ids[0])
      try queue.ask("remove", ids[1])
      try queue.ask("remove", ids[2])
      try queue.ask("remove", runs.id)
      try await eventually("they are gone") {
        try queue.jobs().map(\.name).filter { $0 != "bad.json" } == ["runs"]
          && !queue.isThere("jobs/.remove-\(runs.id)")
      }
      #expect(try queue.folder.names(in: "results").filter { !$0.hasPrefix(".") } == ["two"])
      #expect(try queue.folder.names(in: "jobs/refused") == [])
      try queue.ask("cancel", runs.id)
      try await queue.wait(for: "runs", [.cancelled])
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == ["\(runs.id)-runs.safetensors"])
      try queue.ask("remove", runs.id)
      try await eventually("it is gone") { try queue.job(runs.id) == nil }
      #expect(try queue.folder.names(in: ".nnjobs/claimed") == [])

      try await daemon.end(SIGKILL)
      let restarted = try await RunningDaemon(on: queue, ["--workers", "1"])
      #expect(try queue.jobs().filter { $0.name != "bad.json" }.isEmpty)
      // Nor is an id given twice.
      try queue.drop(JobText().json, as: "new.json")
      #expect(try await queue.wait(for: "new").id > runs.id)
      try await restarted.end(SIGTERM)
    }
  }
}
