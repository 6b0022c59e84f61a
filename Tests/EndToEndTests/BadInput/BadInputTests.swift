import Formats
import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Bad input` {
    @Test(.timeLimit(.minutes(2)), arguments: BadFile.wrong)
    func `is refused with place, reason and remedy, kept, and harms nothing`(
      bad: BadFile
    ) async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1"])
      try bad.drop(into: queue)
      try await queue.wait(for: bad.kept)
      try bad.checkRefused(in: queue)
      #expect(try queue.job(bad.kept)?.reasonCode == "invalid")
      try queue.drop(BadFile.good, as: "good.json")
      #expect(try await queue.wait(for: "good").state == .succeeded)
      #expect(daemon.isRunning)
      #expect(try queue.folder.names(in: "jobs") == ["refused"])
      #expect(try await daemon.end(SIGTERM) == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func `that may still become a job is refused when the patience is over`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--patience", "3"])
      for bad in BadFile.incomplete { try bad.drop(into: queue) }
      try queue.drop(BadFile.good, as: "good.json")
      #expect(try await queue.wait(for: "good").state == .succeeded)
      for bad in BadFile.incomplete {
        #expect(queue.log.contains("wait \(bad.kept): \(bad.sentence)\n"))
        try await queue.wait(for: bad.kept)
        try BadFile(
          name: bad.name, bad.content, kept: bad.kept,
          bad.sentence + "; nothing was added to it for 3 s"
        ).checkRefused(in: queue)
        #expect(try queue.job(bad.kept)?.reasonCode == "incomplete")
      }
      #expect(try queue.folder.names(in: "jobs") == ["refused"])
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(3)))
    func `cut off at any length stays in the inbox, and is a job when the rest comes`()
      async throws
    {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      var tensors = SafetensorsText()
      tensors.metadata = BadFile.good.replacing("[[1, 2], [3, 4]]", with: #"{"tensor": "W1"}"#)
      tensors.add("W1", [2, 2])
      let whole = [
        "json": Array(BadFile.good.utf8),
        "safetensors": tensors.head + [UInt8](repeating: 0, count: tensors.byteCount),
      ]
      var files: [(name: String, bytes: [UInt8], cut: Int)] = []
      for (ending, bytes) in whole {
        for cut in 0..<bytes.count { files.append(("cut-\(cut).\(ending)", bytes, cut)) }
      }
      for file in files { try queue.drop(Array(file.bytes[..<file.cut]), as: file.name) }
      try await eventually("every file is seen") {
        queue.log.split(separator: "\n").count { $0.hasPrefix("wait cut-") } == files.count
      }
      #expect(try queue.jobs().isEmpty)
      #expect(try queue.folder.names(in: "jobs").count == files.count + 1)

      // Nothing is lost on the way through a crash.
      try await daemon.end(SIGKILL)
      let next = try await RunningDaemon(on: queue)
      for file in files {
        let handle = try FileHandle(forWritingTo: URL(filePath: queue.folder("jobs/\(file.name)")))
        try handle.seekToEnd()
        try handle.write(contentsOf: file.bytes[file.cut...])
        try handle.close()
      }
      try await queue.wait(forCount: files.count, within: .seconds(120))
      let jobs = try queue.jobs()
      #expect(jobs.count == files.count)
      #expect(jobs.allSatisfy { $0.state == .succeeded })
      #expect(try queue.folder.names(in: "jobs") == ["refused"])
      try await next.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `of numbers that are none is computed, and the manifest says so`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      let text = BadFile.good.replacing(
        "[[1, 2], [3, 4]]", with: "[[NaN, 2], [-Infinity, Infinity]]")
      try queue.drop(text, as: "nan.json")
      #expect(try await queue.wait(for: "nan").state == .succeeded)
      let numerics = try #require(
        try queue.result("nan").manifest()["numerics"] as? [String: Any])
      #expect(numerics["parameters"] as? [String: Int] == ["nan": 1, "infinity": 2])
      #expect(numerics["inputs"] as? [String: Int] == ["nan": 0, "infinity": 0])
      #expect(numerics["outputs"] as? [String: Int] == ["nan": 1, "infinity": 0])
      #expect(try queue.result("nan").array("outputs").numbers()[0].isNaN)
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `of one name is kept as often as it comes, and no reason is overwritten`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--workers", "1", "--patience", "1"])
      let long = String(repeating: "l", count: 150)
      let names = ["\(long)-1.json", "\(long)-2.json", "a.json.reason.txt", "a.json", "a.json"]
      for (k, name) in names.enumerated() {
        try queue.drop("wrong \(k)", as: name)
        try await eventually("\(name) is refused; log:\n\(queue.log)") {
          try queue.jobs().count == k + 1
        }
      }
      let kept = [
        "\(long)-1.json", "\(long)-2.json", "a.json.reason.txt-2", "a.json", "a.json-2",
      ]
      #expect(try queue.jobs().map(\.name) == kept)
      for (k, name) in kept.enumerated() {
        #expect(try queue.folder.text(of: "jobs/refused/\(name)") == "wrong \(k)")
        #expect(queue.isThere("jobs/refused/\(name).reason.txt"))
      }
      try await daemon.end(SIGTERM)
    }
  }
}
