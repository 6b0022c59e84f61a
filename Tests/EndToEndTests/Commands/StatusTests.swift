import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs status` {
    @Test(.timeLimit(.minutes(2)))
    func `tells of an empty queue, with its daemon and without`() async throws {
      let queue = try TestQueue()
      let none = try await queue.nnjobs("status")
      #expect(none.status == 4 && none.output == "")
      #expect(
        none.errors
          == "nnjobs: cannot open the store .nnjobs/store.sqlite: there is none yet; the daemon makes it when it starts\n"
      )
      let daemon = try await RunningDaemon(on: queue)
      let empty = try await queue.nnjobs()
      #expect(empty.status == 0 && empty.output == "no jobs\n" && empty.errors == "")
      let json = try await queue.nnjobs("status", "--json")
      #expect(
        json.output
          == #"{"jobs":[],"schema":1,"totals":{"cancelled":0,"failed":0,"queued":0,"refused":0,"running":0,"succeeded":0}}"#
          + "\n")
      try await daemon.end(SIGTERM)
      try queue.drop(BadFile.good, as: "early.json")
      let down = try await queue.nnjobs("status")
      #expect(down.status == 0)
      #expect(down.output == "no jobs\nno daemon runs; 1 file waits in jobs\n")
    }

    @Test(.timeLimit(.minutes(2)))
    func `as JSON has the documented members, of the documented kinds`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(BadFile.good, as: "good.json")
      try queue.drop("{}", as: "bad.json")
      try await queue.wait(forCount: 2)
      try queue.drop(JobText.endless.sparse, as: "runs.safetensors")
      try await eventually("it tells of its progress") {
        try (queue.job("runs")?.progress ?? 0) > 0
      }
      let run = try await queue.nnjobs("status", "--json")
      #expect(run.status == 0)
      let document = try #require(
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      #expect(Set(document.keys) == ["schema", "jobs", "totals"])
      #expect(document["schema"] as? Int == 1)
      #expect(
        document["totals"] as? [String: Int] == [
          "queued": 0, "running": 1, "succeeded": 1, "failed": 0, "cancelled": 0, "refused": 1,
        ])
      let jobs = try #require(document["jobs"] as? [[String: Any]])
      #expect(jobs.count == 3)
      for job in jobs {
        let documented: Set<String> = [
          "id", "name", "state", "user", "priority", "submitted", "started", "finished",
          "attempts", "resumed", "resumed_from", "progress", "eta", "reason", "result", "bytes",
        ]
        #expect(documented.isSubset(of: job.keys))
        for moment in ["submitted", "started", "finished"] where !(job[moment] is NSNull) {
          let text = try #require(job[moment] as? String)
          #expect(text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(text)")
        }
        for number in ["id", "priority", "attempts", "resumed", "progress", "bytes"] {
          #expect(job[number] is NSNumber, "\(number)")
        }
      }
      func job(_ name: String) throws -> [String: Any] {
        try #require(jobs.first { $0["name"] as? String == name })
      }
      let good = try job("good")
      #expect(
        good["state"] as? String == "succeeded" && good["result"] as? String == "results/good")
      #expect(good["reason"] is NSNull && good["eta"] is NSNull && good["bytes"] as? Int == 16)
      #expect(good["finished"] is String && good["progress"] as? Double == 1)
      let bad = try job("bad.json")
      let reason = try #require(bad["reason"] as? [String: String])
      #expect(
        reason == [
          "code": "invalid",
          "text": #"cannot read jobs/bad.json: the key "version" is missing; write "version": 1"#,
        ])
      #expect(bad["state"] as? String == "refused" && bad["result"] is NSNull)
      let runs = try job("runs")
      #expect(runs["state"] as? String == "running" && runs["finished"] is NSNull)
      let eta = try #require(runs["eta"] as? Double)
      #expect(eta > 1)
      try await daemon.end(SIGTERM)
    }
  }
}
