import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs result --verify` {
    // 1. Right after the job. 2. After one bit of one array changed. 3. After an array is gone. 4. As JSON.
    @Test(.timeLimit(.minutes(2)))
    func `finds whatever was changed`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try queue.drop(JobText(samples: 3).json, as: "a.json")
      try await queue.wait(for: "a", [.succeeded])
      let right = try await queue.nnjobs("result", "--verify", "1")
      #expect(right.status == 0 && right.errors == "")  // 1
      #expect(right.output.contains("; 5 of 5 right\n"), "\(right.output)")

      let path = queue.folder("results/a/parameter-jacobian/W1.npy")
      let file = try #require(FileHandle(forUpdatingAtPath: path))
      try file.seek(toOffset: 200)
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: 200)
      try file.write(contentsOf: [byte ^ 4])
      let changed = try await queue.nnjobs("result", "--verify", "1")
      #expect(changed.status == 74)  // 2
      #expect(
        changed.errors.hasPrefix(
          "nnjobs: parameter-jacobian/W1.npy is not right: its digest is xxh3-128:"))
      #expect(changed.output.contains("; 4 of 5 right\n"))
      #expect(
        changed.output.split(separator: "\n").filter { $0.hasSuffix("wrong") }.map {
          $0.prefix { $0 != " " }
        } == ["parameter-jacobian/W1.npy"])

      try FileManager.default.removeItem(atPath: queue.folder("results/a/outputs.npy"))
      let gone = try await queue.nnjobs("result", "--verify", "--json", "1")
      #expect(gone.status == 74)  // 3
      #expect(
        gone.errors.hasPrefix("nnjobs: outputs.npy is not right: cannot open "), "\(gone.errors)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(gone.output.utf8)) as? [String: Any])
      #expect(object["verified"] as? Bool == false)  // 4
      let arrays = try #require(object["arrays"] as? [[String: Any]])
      let verdicts = arrays.map { "\($0["file"] ?? "") \($0["verified"] as? Bool == true)" }
      #expect(
        verdicts == [
          "outputs.npy false", "parameter-jacobian/W1.npy false", "parameter-jacobian/b1.npy true",
          "parameter-jacobian/W2.npy true", "parameter-jacobian/b2.npy true",
        ])
      #expect(arrays[2]["problem"] is NSNull && arrays[0]["problem"] is String)
      let plain = try await queue.nnjobs("result", "1")
      #expect(plain.status == 0 && !plain.output.contains("right"))
      try await daemon.end(SIGTERM)
    }
  }
}
