import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs doctor` {
    @Test(.timeLimit(.minutes(10)))
    func `measures the machine before the first job, and everybody computes by that profile`()
      async throws
    {
      let queue = try TestQueue()
      let free = ["OPENBLAS_CORETYPE": ""]
      let daemon = try await RunningDaemon(on: queue, environment: free)
      try queue.drop(JobText().json, as: "first.json")
      // 1. READY came before the measurement, the first job runs after it.
      try await eventually(within: .seconds(300), "the machine is measured; \(queue.log)") {
        queue.isThere(".nnjobs/machine.json")
      }
      try await queue.wait(for: "first", [.succeeded])
      let log = queue.log
      let measuring = try #require(log.range(of: "measuring this machine"), "1: \(log)")
      let start = try #require(log.range(of: "start 1 first"), "1: \(log)")
      #expect(measuring.lowerBound < start.lowerBound, "1")
      let first = try PublishedFolder(queue.folder("results/first")).manifest()
      #expect(first["kernel_chosen_by"] as? String == "profile", "1")
      try await daemon.end(SIGTERM)
      let profile = try Data(contentsOf: URL(filePath: queue.folder(".nnjobs/machine.json")))
      let members = try JSONSerialization.jsonObject(with: profile) as? [String: Any] ?? [:]
      let kernel = try #require(members["kernel"] as? String)
      #expect(first["kernel"] as? String == "OpenBLAS \(kernel)", "1")
      let rates = members["rates"] as? [String: Any] ?? [:]
      #expect((rates["storesToCache"] as? Double ?? 0) > 0, "1")
      #expect((rates["writing"] as? [String: Any])?["folder"] as? String == "results", "1")

      // 2. A second start measures nothing.
      let again = try await RunningDaemon(on: queue, environment: free)
      try queue.drop(JobText().json, as: "second.json")
      try await queue.wait(for: "second", [.succeeded])
      try await again.end(SIGTERM)
      #expect(queue.log.components(separatedBy: "measuring this machine").count == 2, "2")

      // 3. run takes the queue's profile; the environment wins over it.
      try queue.drop(JobText().json, as: "third.json.txt")
      for (environment, chooser) in [(free, "profile"), ([:], "environment")] {
        let run = try await queue.nnjobs(
          "run", "--output", chooser, "jobs/third.json.txt", environment: environment)
        #expect(run.status == 0, "3: \(run.errors)")
        let names = try queue.folder.names(in: chooser)
        let manifest = try PublishedFolder(queue.folder("\(chooser)/\(names[0])")).manifest()
        #expect(manifest["kernel_chosen_by"] as? String == chooser, "3")
      }

      // 4. doctor shows it; damaged, it is as good as none, for doctor and for run.
      let sound = try await queue.nnjobs("doctor", "--json", environment: free)
      #expect(sound.status == 0, "4: \(sound.output)")
      let whole = try JSONSerialization.jsonObject(with: Data(sound.output.utf8)) as? [String: Any]
      #expect((whole?["profile"] as? [String: Any])?["kernel"] as? String == kernel, "4")
      try queue.folder.write("{\"version\": 1, \"kernel\": \"Sky", to: ".nnjobs/machine.json")
      let damaged = try await queue.nnjobs("doctor", environment: free)
      #expect(damaged.status == 0, "4")
      #expect(
        damaged.output.contains(
          "profile   none of this machine in .nnjobs/machine.json\n"), "4: \(damaged.output)")
      let run = try await queue.nnjobs(
        "run", "--output", "default", "jobs/third.json.txt", environment: free)
      #expect(run.status == 0, "4: \(run.errors)")
    }
  }
}
