import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobs submit` {
    @Test(.timeLimit(.minutes(2)))
    func `prints an id by which wait, result and status follow the job to its end`() async throws {
      let queue = try TestQueue()
      try queue.folder.write(BadFile.good, to: "good.json")
      try queue.folder.write("{}", to: "bad.json")
      let daemon = try await RunningDaemon(on: queue)
      let submitted = try await queue.nnjobs("submit", "good.json")
      #expect(submitted.status == 0 && submitted.output == "1\n" && submitted.errors == "")
      #expect(try queue.folder.text(of: "good.json") == BadFile.good, "the user's file stays")
      let waited = try await queue.nnjobs("wait", "1")
      #expect(waited.status == 0 && waited.output == "" && waited.errors == "")
      let both = try await queue.nnjobs("submit", "--wait", "bad.json", "good.json")
      #expect(both.status == 7 && both.output == "2\n")
      #expect(
        both.errors
          == "nnjobs: cannot read bad.json: the key \"version\" is missing; write \"version\": 1\n")
      let piped = try await queue.nnjobs("wait", "-", input: "1\n2\n")
      #expect(piped.status == 0 && piped.output == "")

      let folder = try await queue.nnjobs("result", "--folder", "1")
      #expect(folder.status == 0 && folder.output == "results/good\n")
      let result = try await queue.nnjobs("result", "2")
      #expect(result.status == 0)
      #expect(
        result.output.replacing(/in [0-9.]+ m?s\n/, with: "in T\n") == """
          results/good-2
          ARRAY        SHAPE  TYPE     SIZE  AXES
          outputs.npy  1 × 1  float64   8 B  batch, outputs
          loss.npy     1      float64   8 B  batch
          2 arrays, 16 B, in T

          """)

      let table = try await queue.nnjobs("status", "--sort", "id")
      #expect(table.status == 0)
      let lines = table.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 6)
      #expect(
        lines[0].split(separator: " ") == [
          "ID", "NAME", "STATE", "USER", "SUBMITTED", "TOOK", "SIZE",
        ])
      #expect(lines[1].split(separator: " ").prefix(3) == ["2", "good", "succeeded"])
      #expect(lines[1].hasSuffix("  16 B  good-2"))
      #expect(lines[2].split(separator: " ").prefix(3) == ["1", "good", "succeeded"])
      #expect(lines[2].hasSuffix("  16 B  good"))
      #expect(lines[3] == "" && lines[4] == "2 succeeded" && lines[5] == "")
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `packs a document and the files it names into one job`() async throws {
      let queue = try TestQueue()
      try FileManager.default.createDirectory(
        atPath: queue.folder("model"), withIntermediateDirectories: false)
      let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }"
      let npy =
        [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
        + Array(header.utf8) + [UInt8](repeating: 32, count: 117 - header.utf8.count) + [10]
        + [1.0, 2, 3, 4].flatMap { number in
          (0..<8).map { UInt8(number.bitPattern >> (8 * $0) & 255) }
        }
      try Data(npy).write(to: URL(filePath: queue.folder("model/w1.npy")))
      var tensors = SafetensorsText()
      tensors.add("second", [1, 2], bytesPerNumber: 4, "F32")
      let ones: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f]
      try Data(tensors.head + ones).write(to: URL(filePath: queue.folder("model/rest.safetensors")))
      try queue.folder.write(
        BadFile.good.replacing("[[1, 2], [3, 4]]", with: #"{"file": "w1.npy"}"#)
          .replacing(
            "[[1, 1]]", with: #"{"file": "rest.safetensors", "tensor": "second"}"#),
        to: "model/parts.json")
      try queue.folder.write(BadFile.good, to: "whole.json")

      let daemon = try await RunningDaemon(on: queue)
      let run = try await queue.nnjobs("submit", "--wait", "model/parts.json", "whole.json")
      #expect(run.status == 0 && run.output == "1\n2\n" && run.errors == "")
      #expect(try queue.jobs().map(\.name) == ["parts", "whole"])
      #expect(try queue.result("parts").contents() == queue.result("whole").contents())
      // The files may change or go as soon as the id is printed; `run` reads them where they are.
      let local = try await queue.nnjobs("run", "--output", "local", "model/parts.json")
      #expect(local.status == 0)
      #expect(
        try PublishedFolder(queue.folder("local/parts")).contents()
          == queue.result("whole").contents())
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `refuses what does not fit with exit code 6, as check and the daemon do`()
      async throws
    {
      let queue = try TestQueue()
      try queue.drop(Oversized.memory.sparse, as: "wide.safetensors")
      try queue.drop(try Oversized.disk(at: queue.folder.path).sparse, as: "long.safetensors")
      for name in ["wide.safetensors", "long.safetensors"] {
        try FileManager.default.moveItem(
          atPath: queue.folder("jobs/" + name), toPath: queue.folder(name))
      }
      try queue.folder.write("memory = 80MiB\n", to: "queue.conf")
      let settings = ["NNJOBS_CONFIG": queue.folder("queue.conf")]
      func sentence(_ run: ProgramRun) -> String {
        String(run.errors.dropFirst("nnjobs: ".count).dropLast())
      }
      for command in ["check", "submit"] {
        let wide = try await queue.nnjobs(command, "wide.safetensors", environment: settings)
        #expect(wide.status == 6, "\(command)")
        try Oversized.checkMemorySentence(
          sentence(wide), file: "wide.safetensors", available: "80.0 MiB")
        let long = try await queue.nnjobs(command, "long.safetensors", environment: settings)
        #expect(long.status == 6, "\(command)")
        try Oversized.checkDiskSentence(sentence(long), file: "long.safetensors")
        #expect(wide.output.isEmpty == (command == "submit"))
        if command == "check" { #expect(wide.output.contains("\nfits        no\n")) }
      }
      try queue.folder.write("longest_time = 50\n", to: "short.conf")
      try queue.folder.write(
        BadFile.good.replacing("{", with: #"{"time_limit": 90,"#, maxReplacements: 1),
        to: "slow.json")
      let slow = try await queue.nnjobs(
        "submit", "slow.json", environment: ["NNJOBS_CONFIG": queue.folder("short.conf")])
      #expect(slow.status == 6 && slow.output == "")
      #expect(
        sentence(slow)
          == "slow.json does not fit: its time_limit is 90 s, and this queue allows 50 s; "
          + "ask for less, or split it into several jobs")
      #expect(try queue.folder.names(in: "jobs") == [], "nothing was dropped")

      // A daemon may be told more than its configuration says.
      let daemon = try await RunningDaemon(on: queue, ["--memory", "80MiB"])
      let refused = try await queue.nnjobs("submit", "wide.safetensors")
      #expect(refused.status == 6 && refused.output == "1\n")
      let start = "the daemon refused wide.safetensors: "
      #expect(sentence(refused).hasPrefix(start))
      try Oversized.checkMemorySentence(
        String(sentence(refused).dropFirst(start.count)), file: "jobs/wide.safetensors",
        available: "80.0 MiB")
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `puts its priority over the document's`() async throws {
      let queue = try TestQueue()
      try queue.folder.write(BadFile.good, to: "good.json")
      let daemon = try await RunningDaemon(on: queue)
      let run = try await queue.nnjobs(
        "submit", "--wait", "--json", "--priority", "-7", "good.json")
      #expect(run.status == 0)
      #expect(
        run.output
          == #"{"jobs":[{"file":"good.json","id":1,"inbox":"good.safetensors","name":"good","state":"succeeded"}],"schema":1}"#
          + "\n")
      #expect(try queue.job("good")?.priority == -7)
      try await daemon.end(SIGTERM)
    }
  }
}
