import Foundation
import TestSupport
import Testing

@testable import nnjobs

extension EndToEnd {
  @Suite(.enabled(if: Binaries.ofSystem("bash") != nil, "bash is not installed"))
  struct `nnjobs completions` {
    /// What bash completes the last of `words` to, in a folder with the files `a b.json` and `c.json`.
    private func completions(_ words: [String]) async throws -> [String] {
      let folder = try TemporaryFolder()
      try folder.write("", to: "a b.json")
      try folder.write("", to: "c.json")
      let quoted = words.map { "'\($0)'" }.joined(separator: " ")
      let script = """
        source <('\(Binaries.nnjobs)' completions bash)
        COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1)
        _nnjobs
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      let run = try await ProgramRun(
        try #require(Binaries.ofSystem("bash")), ["-c", script], in: folder)
      #expect(run.status == 0 && run.errors == "")
      return run.output.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("run-") }
        .sorted()
    }

    @Test(.timeLimit(.minutes(1)))
    func `offer every command, and every option of each, and nothing else`() async throws {
      #expect(try await completions(["nnjobs", ""]) == Commands.all.map { $0.name }.sorted())
      for command in Commands.all {
        #expect(
          try await completions(["nnjobs", command.name, "-"])
            == command.allOptions.flatMap(\.spellings).sorted(), "\(command.name)")
      }
    }

    @Test(
      .timeLimit(.minutes(1)),
      arguments: [
        (["nnjobs", "st"], ["status"]),
        (["nnjobs", "--color", "al"], ["always"]),
        (["nnjobs", "--jobs", "x", "ver"], ["version"]),
        (["nnjobs", "--jobs", "=", "x", "ver"], ["version"]),
        (["nnjobs", "status", "--sort", "s"], ["size", "started", "submitted"]),
        (["nnjobs", "status", "--sort", "=", "f"], ["finished"]),
        (["nnjobs", "status", "--color", "="], ["always", "auto", "never"]),
        (["nnjobs", "help", "can"], ["cancel"]),
        (["nnjobs", "completions", ""], ["bash", "fish", "zsh"]),
        (["nnjobs", "submit", ""], ["a b.json", "c.json"]),
        (["nnjobs", "wait", ""], []),
      ])
    func `know values, operands and files`(words: [String], expected: [String]) async throws {
      #expect(try await completions(words) == expected)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["zsh", "fish"])
    func `exist for other shells, and these can read them where they are installed`(
      shell: String
    ) async throws {
      let folder = try TemporaryFolder()
      let run = try await ProgramRun(Binaries.nnjobs, ["completions", shell], in: folder)
      #expect(run.status == 0 && run.errors == "")
      for command in Commands.all {
        #expect(run.output.contains("\(command.name)") && run.output.contains("json"))
      }
      guard let program = Binaries.ofSystem(shell) else { return }
      try folder.write(run.output, to: "script")
      let check = try await ProgramRun(program, ["-n", "script"], in: folder)
      #expect(check.status == 0 && check.errors == "")
    }

    @Test(.timeLimit(.minutes(1)))
    func `of an unknown shell are none`() async throws {
      let run = try await ProgramRun(
        Binaries.nnjobs, ["completions", "csh"], in: try TemporaryFolder())
      #expect(run.status == 64)
      #expect(
        run.errors
          == "nnjobs: completions does not take \"csh\"; `nnjobs help completions` says what it takes\n"
      )
    }
  }
}
