import CommandLineOptions
import Store
import Testing

@testable import nnjobs

@Suite struct `The options of status` {
  @Test func `tell names of states from a state folder`() throws {
    let (states, folder) = try Status.split(["running,queued", "./failed", "failed"])
    #expect(states == [.running, .queued, .failed])
    #expect(folder == "./failed")
  }

  @Test func `name the near state for a misspelt one`() {
    let complaint = #expect(throws: Complaint.self) { try Status.split(["faild"]) }
    #expect(
      complaint?.sentence == "option --state does not take \"faild\"; it takes failed, for instance"
    )
  }

  @Test(
    arguments: [
      (
        ["--limit", "-3"], "option --limit does not take \"-3\"; it takes a whole number from 0 to"
      ),
      (
        ["--sort", "colour"], "option --sort does not take \"colour\"; it takes finished, id, name"
      ),
      (["--since", "soon"], "option --since does not take \"soon\"; it takes an age as 10m"),
      (["--user", "nobody-of-that-name"], "option --user does not take"),
      (["one"], "\"one\" is no job's id"),
    ] as [([String], String)])
  func `say what they take`(words: [String], beginning: String) throws {
    let arguments = try ArgumentReader.read(
      words, options: Status.allOptions, command: "status", help: "nnjobs help status",
      stopsAtOperand: false)
    let call = Call(arguments: arguments, globals: Arguments(), environment: [:])
    let complaint = #expect(throws: Complaint.self) { _ = try StatusView(call, states: []) }
    #expect(complaint?.sentence.hasPrefix(beginning) == true, "\(complaint?.sentence ?? "")")
    #expect(complaint?.exitCode == .usage)
  }
}
