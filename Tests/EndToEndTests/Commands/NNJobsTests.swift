import Formats
import Foundation
import TestSupport
import Testing

/// A command line, and all that it must give where there is no queue.
struct CommandLineCase: Sendable, CustomTestStringConvertible {
  let arguments: [String]
  let status: Int32
  var output = ""
  var errors = ""

  var testDescription: String { "nnjobs " + arguments.joined(separator: " ") }
}

extension EndToEnd {
  @Suite struct `nnjobs without a queue` {
    private static let noQueue =
      "nnjobs: cannot find the queue's jobs folder: name it with --jobs, set NNJOBS_JOBS, or go to "
      + "a folder that has jobs/\n"

    @Test(
      .timeLimit(.minutes(2)),
      arguments: [
        CommandLineCase(arguments: ["version"], status: 0, output: "nnjobs 0.1.0\n"),
        CommandLineCase(arguments: ["--version"], status: 0, output: "nnjobs 0.1.0\n"),
        CommandLineCase(
          arguments: ["version", "--json"], status: 0,
          output: #"{"schema":1,"version":"0.1.0"}"# + "\n"),
        CommandLineCase(arguments: [], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["status"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["status", "7"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["wait", "7"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["result", "7"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["cancel", "7"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["retry", "7"], status: 4, errors: noQueue),
        CommandLineCase(arguments: ["submit", "good.json"], status: 4, errors: noQueue),
        CommandLineCase(
          arguments: ["frobnicate"], status: 64,
          errors: "nnjobs: no command frobnicate; `nnjobs help` lists them\n"),
        CommandLineCase(
          arguments: ["statsu"], status: 64,
          errors: "nnjobs: no command statsu; did you mean status?\n"),
        CommandLineCase(
          arguments: ["--frob"], status: 64,
          errors: "nnjobs: no option --frob; `nnjobs help` lists them\n"),
        CommandLineCase(
          arguments: ["status", "--frob"], status: 64,
          errors: "nnjobs: no option --frob of status; `nnjobs help status` lists them\n"),
        CommandLineCase(
          arguments: ["wait"], status: 64,
          errors: "nnjobs: wait needs ID…; write nnjobs wait ID…\n"),
        CommandLineCase(
          arguments: ["wait", "x"], status: 64,
          errors: "nnjobs: \"x\" is no job's id; ids are whole numbers, as `nnjobs status` shows\n"),
        CommandLineCase(
          arguments: ["submit"], status: 64,
          errors: "nnjobs: submit needs FILE…; write nnjobs submit FILE…\n"),
        CommandLineCase(
          arguments: ["run"], status: 64, errors: "nnjobs: run needs FILE; write nnjobs run FILE\n"),
        CommandLineCase(
          arguments: ["run", "nowhere.json"], status: 74,
          errors: "nnjobs: cannot open nowhere.json: No such file or directory\n"),
        CommandLineCase(
          arguments: ["run", "bad.json"], status: 7,
          errors:
            "nnjobs: cannot read bad.json: the key \"version\" is missing; write \"version\": 1\n"
        ),
        CommandLineCase(
          arguments: ["check", "bad.json"], status: 7,
          errors:
            "nnjobs: cannot read bad.json: the key \"version\" is missing; write \"version\": 1\n"
        ),
        CommandLineCase(
          arguments: ["check", "cut.json"], status: 7,
          errors:
            "nnjobs: cannot read cut.json: line 1, column 2: ends before the document is complete\n"
        ),
      ])
    func `says what is wrong, or what it is`(line: CommandLineCase) async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadFile.good, to: "good.json")
      try folder.write("{}", to: "bad.json")
      try folder.write("{", to: "cut.json")
      let run = try await ProgramRun(Binaries.nnjobs, line.arguments, in: folder)
      #expect(run.status == line.status)
      #expect(run.output == line.output)
      #expect(run.errors == line.errors)
      #expect(try folder.names(in: "") == ["bad.json", "cut.json", "good.json"], "nothing is made")
    }

    @Test(.timeLimit(.minutes(2)))
    func `help lists every command, and every command has its page`() async throws {
      let folder = try TemporaryFolder()
      let overview = try await ProgramRun(Binaries.nnjobs, ["help"], in: folder)
      #expect(overview.status == 0 && overview.errors == "")
      #expect(
        overview.output.hasPrefix(
          "nnjobs – exact derivatives of neural networks, as jobs in a queue\n"))
      let same = try await ProgramRun(Binaries.nnjobs, ["--help"], in: folder)
      #expect(same.output == overview.output && same.status == 0)
      let lines = overview.output.split(separator: "\n").drop { $0 != "Commands:" }.dropFirst()
        .prefix { $0.hasPrefix("  ") }
      let commands = lines.compactMap { $0.split(separator: " ").first.map(String.init) }
      let documented: Set<String> = [
        "status", "submit", "run", "check", "wait", "result", "cancel", "retry", "hold",
        "release", "version", "help",
      ]
      #expect(documented.isSubset(of: commands))
      for command in commands {
        let page = try await ProgramRun(Binaries.nnjobs, ["help", command], in: folder)
        let option = try await ProgramRun(Binaries.nnjobs, [command, "--help"], in: folder)
        #expect(page.status == 0 && page.errors == "", "\(command)")
        #expect(page.output.hasPrefix("nnjobs \(command) – "), "\(command)")
        #expect(page.output.contains("\nUsage: nnjobs \(command) [OPTION…]"), "\(command)")
        #expect(option.output == page.output && option.status == 0, "\(command)")
        // A line of help that a terminal of 100 columns must break is hard to read.
        #expect(page.output.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(command)")
      }
    }

    @Test(.timeLimit(.minutes(2)))
    func `check shows the whole plan`() async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadFile.good, to: "good.json")
      let run = try await ProgramRun(Binaries.nnjobs, ["check", "good.json"], in: folder)
      #expect(run.status == 0 && run.errors == "")
      let output = run.output
        .replacing(/memory {6}.* of .*/, with: "memory      A of B")
        .replacing(/of .* free in/, with: "of C free in")
        .replacing(/about .* ms, by .*/, with: "about T, by rates of this machine or assumed ones")
      #expect(
        output == """
          job file    good.json
          network     2 → 2 tanh → 1 identity (no biases)
          parameters  8
          samples     1, computed in float64
          strategy    forward pass, then contraction
          blocks      1 of 1 sample, on 1 core
          operations  45
          time        about T, by rates of this machine or assumed ones
          memory      A of B
          results     272 B of C free in .
          verified    no
          fits        yes

          GRADIENT  ARRAY        SHAPE  SIZE  AXES
          outputs   outputs.npy  1 × 1   8 B  batch, outputs
          loss      loss.npy     1       8 B  batch

          """)
      #expect(try folder.names(in: "") == ["good.json"], "nothing is made")
    }

    @Test(.timeLimit(.minutes(2)))
    func `run computes into the folder it is given, and says what is there`() async throws {
      let folder = try TemporaryFolder()
      try folder.write(BadFile.good, to: "good.json")
      let expected = """
        ARRAY        SHAPE  TYPE     SIZE  AXES
        outputs.npy  1 × 1  float64   8 B  batch, outputs
        loss.npy     1      float64   8 B  batch
        2 arrays, 16 B, in T

        """
      for place in ["here/good", "here/good-2", "results/good"] {
        let option = place.hasPrefix("here") ? ["--output", "here"] : []
        let run = try await ProgramRun(
          Binaries.nnjobs, ["run"] + option + ["good.json"], in: folder)
        #expect(run.status == 0 && run.errors == "")
        #expect(run.output.replacing(/in [0-9.]+ m?s\n/, with: "in T\n") == "\(place)\n\(expected)")
        let result = try PublishedFolder(folder(place))
        #expect(result.files == ["loss.npy", "manifest.json", "outputs.npy"])
        // y = tanh(1 + 2·2) + tanh(3 + 4·2)
        let y = Glibc.tanh(5.0) + Glibc.tanh(11.0)
        #expect(abs(try result.array("outputs").numbers()[0] - y) < 1e-15)
        #expect(abs(try result.array("loss").numbers()[0] - y * y / 2) < 1e-15)
      }
    }

    @Test(.timeLimit(.minutes(2)))
    func `run leaves nothing behind when it is interrupted`() async throws {
      let queue = try TestQueue()
      try queue.drop(JobText.endless.sparse, as: "endless.safetensors")
      let run = try await ProgramRun(
        Binaries.nnjobs, ["run", "--output", "results", "jobs/endless.safetensors"],
        in: queue.folder,
        interrupting: { try queue.folder.names(in: "results") != [] })
      #expect(run.status == 130)
      #expect(run.output == "")
      #expect(run.errors == "nnjobs: endless was cancelled while it ran\n")
      #expect(try queue.folder.names(in: "results") == [])
    }
  }
}
