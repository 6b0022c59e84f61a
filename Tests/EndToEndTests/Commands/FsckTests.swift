import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs fsck` {
    @Test(.timeLimit(.minutes(3)))
    func `finds nothing in a queue at work, and brings a destroyed store back`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(BadFile.good, as: "good.json")
      try queue.drop("{", as: "bad.json.txt")
      try await queue.wait(for: "good")
      try queue.drop(JobText.endless.sparse, as: "endless.safetensors")
      let endless = try await queue.wait(for: "endless", [.running]).id
      try queue.drop(BadFile.good, as: "later.json")
      try await queue.wait(for: "later", [.queued])
      let sound = try await queue.nnjobs("fsck")
      #expect(sound.status == 0 && sound.errors == "")
      #expect(sound.output == "nothing to put right: 3 jobs, 1 result, 2 claimed files\n")
      // 1. Nobody repairs beside a daemon.
      for option in ["--repair", "--rebuild"] {
        let run = try await queue.nnjobs("fsck", option)
        #expect(run.status == 4, "1")
        #expect(
          run.errors
            == "nnjobs: cannot serve the queue: another nnjobsd holds .nnjobs/daemon.lock; "
            + "stop it first\n", "1")
      }
      try await daemon.end(SIGKILL)

      // 2. A daemon and fsck name the cure of a store that cannot be read.
      let store = queue.folder(".nnjobs/store.sqlite")
      try Data("no database".utf8).write(to: URL(filePath: store))
      try FileManager.default.removeItem(atPath: store + "-wal")
      let refused = try await ProgramRun(Binaries.nnjobsd, [], in: queue.folder)
      #expect(refused.status == 74, "2")
      #expect(refused.errors.contains("run `nnjobs fsck --rebuild`"), "2")
      let broken = try await queue.nnjobs("fsck")
      #expect(broken.status == 4 && broken.errors.contains("run `nnjobs fsck --rebuild`"), "2")

      // 3. What was published is known again, what was claimed runs, ids go on.
      let rebuilt = try await queue.nnjobs("fsck", "--rebuild")
      #expect(rebuilt.status == 0, "3: \(rebuilt)")
      #expect(
        rebuilt.output.hasPrefix(
          ".nnjobs/store.sqlite is made anew: 3 jobs, 0 of them from the old store, 1 from results; "
            + "the old store is .nnjobs/store.sqlite.kept-"), "3: \(rebuilt)")
      let kept = try queue.folder.names(in: ".nnjobs").first { $0.contains("kept") }
      #expect(try queue.folder.text(of: ".nnjobs/" + (kept ?? "")) == "no database", "3")
      let next = try await RunningDaemon(on: queue, ["--workers", "1"])
      try await queue.wait(for: "endless", [.running])
      try queue.ask("cancel", endless)
      try await queue.wait(for: "later", [.succeeded])
      try queue.drop(BadFile.good, as: "new.json")
      #expect(try await queue.wait(for: "new", [.succeeded]).id > 1000, "3")
      #expect(try queue.job("good")?.result == "good", "3")
      try await next.end(SIGTERM)
      #expect(try await queue.nnjobs("fsck").status == 0, "3")
    }

    @Test(.timeLimit(.minutes(2)))
    func `says each finding with its cure, and repairs what it can`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(BadFile.good, as: "good.json")
      try await queue.wait(for: "good")
      try await daemon.end(SIGTERM)
      try queue.folder.write("", to: "jobs/.cancel-77")
      try FileManager.default.removeItem(atPath: queue.folder("results/good/loss.npy"))
      let lost =
        "job 1 (good) has succeeded, but cannot read results/good/loss.npy: No such file or directory; "
        + "submit good again, then nnjobs remove 1\n"
      let first = try await queue.nnjobs("fsck")
      #expect(first.status == 1)
      #expect(
        first.output == lost
          + "jobs/.cancel-77 asks to cancel job 77, which the store does not have; nnjobs fsck --repair "
          + "puts it right\n2 to put right: 1 job, 1 result, 0 claimed files\n")
      let repaired = try await queue.nnjobs("fsck", "--repair")
      #expect(repaired.status == 1)
      #expect(
        repaired.output
          == "repaired: jobs/.cancel-77 asks to cancel job 77, which the store does not have\n"
          + lost
          + "1 to put right: 1 job, 1 result, 0 claimed files\n")
      #expect(!queue.isThere("jobs/.cancel-77"))
      let json = try await queue.nnjobs("fsck", "--json")
      #expect(json.output.contains(#""kind":"array-wrong","path":"results/good/loss.npy""#))
    }
  }
}
