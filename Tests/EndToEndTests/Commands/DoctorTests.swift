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
      let folder = (rates["writing"] as? [String: Any])?["folder"] as? String
      #expect(folder?.hasSuffix("/results") == true, "1")

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
          "none of this machine in .nnjobs/machine.json\n"), "4: \(damaged.output)")
      let run = try await queue.nnjobs(
        "run", "--output", "default", "jobs/third.json.txt", environment: free)
      #expect(run.status == 0, "4: \(run.errors)")
    }

    /// Level and text of each subject.
    private static func diagnoses(_ run: ProgramRun) throws -> [String: (String, String)] {
      let whole = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let list = whole?["diagnoses"] as? [[String: Any]] ?? []
      var found: [String: (String, String)] = [:]
      for one in list {
        let level = one["level"] as? String ?? ""
        #expect((level == "ok") == (one["cure"] is NSNull), "a cure for what is not right")
        found[one["subject"] as? String ?? ""] = (level, one["text"] as? String ?? "")
      }
      return found
    }

    @Test(.timeLimit(.minutes(3)))
    func `says how configuration, folders, store and service stand`() async throws {
      let queue = try TestQueue()
      // 1. Before the first daemon.
      let before = try await queue.nnjobs("doctor", "--json")
      #expect(before.status == 0, "1: \(before.errors)")
      var found = try Self.diagnoses(before)
      #expect(found["configuration"]?.1 == "/dev/null", "1")
      #expect(found["jobs"]?.1.hasPrefix("jobs, in the current folder, on ") == true, "1")
      #expect(found["state"]?.0 == "warning", "1")
      #expect(found["store"]?.1 == "none yet; the daemon makes it", "1")
      #expect(found["service"]?.0 == "warning", "1")
      #expect(found["kernels"]?.1 == "Haswell, as OPENBLAS_CORETYPE says", "1")
      #expect(found["fsync"] != nil, "1")
      #expect(try queue.folder.names(in: "results") == [], "1")

      // 2. With a daemon.
      let daemon = try await RunningDaemon(on: queue)
      try queue.drop(JobText().json, as: "one.json")
      try await queue.wait(for: "one", [.succeeded])
      found = try Self.diagnoses(try await queue.nnjobs("doctor", "--json"))
      #expect(found["service"]?.1.hasPrefix("nnjobsd serves this queue") == true, "2")
      #expect(found["store"]?.0 == "ok", "2")
      #expect(found["store"]?.1.hasSuffix("sound, 1 job") == true, "2")
      #expect(found["claiming"]?.0 == "ok", "2")
      try await daemon.end(SIGTERM)

      // 3. A damaged store, a file in a folder's place, a configuration that is none: problems, and exit code 1.
      try queue.folder.write("no database", to: ".nnjobs/store.sqlite")
      let damaged = try await queue.nnjobs("doctor", "--json")
      #expect(damaged.status == 1, "3")
      #expect(try Self.diagnoses(damaged)["store"]?.0 == "problem", "3")
      let misplaced = try await queue.nnjobs(
        "doctor", "--json", environment: ["NNJOBS_RESULTS": "daemon.log"])
      #expect(misplaced.status == 1, "3")
      #expect(
        try Self.diagnoses(misplaced)["results"]?.1
          == "daemon.log, from NNJOBS_RESULTS, is no folder", "3")
      try queue.folder.write("workers = many\n", to: "bad.conf")
      let misread = try await queue.nnjobs(
        "doctor", environment: ["NNJOBS_CONFIG": queue.folder("bad.conf")])
      #expect(misread.status == 1, "3")
      #expect(misread.output.hasPrefix("problem  configuration  cannot read configuration "), "3")

      // 4. Where there is no queue, the machine is examined all the same.
      let elsewhere = try await ProgramRun(
        Binaries.nnjobs, ["doctor"], in: try TemporaryFolder())
      #expect(elsewhere.status == 0, "4")
      #expect(elsewhere.output.contains("\nok       OpenBLAS       OpenBLAS 0."), "4")
    }
  }
}
