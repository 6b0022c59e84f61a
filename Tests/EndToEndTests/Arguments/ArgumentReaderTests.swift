import CommandLineOptions
import Formats
import Testing

@testable import nnjobs

@Suite(.serialized) struct `A command line` {
  private static let options = [
    Option("since", value: "TIME", ""), Option("sort", value: "KEY", ""),
    Option("limit", letter: "n", value: "COUNT", ""), Option("json", letter: "j", ""),
  ]

  private func read(
    _ words: [String], stopsAtOperand: Bool = false
  ) throws(OptionError) -> Arguments {
    try ArgumentReader.read(
      words, options: Self.options, command: "status", help: "nnjobs help status",
      stopsAtOperand: stopsAtOperand)
  }

  @Test(
    arguments: [
      ([], [:], []),
      (["1", "2"], [:], ["1", "2"]),
      (["--limit", "5", "7"], ["limit": ["5"]], ["7"]),
      (["7", "--limit=5"], ["limit": ["5"]], ["7"]),
      (["-n5", "-j", "-"], ["limit": ["5"], "json": [""]], ["-"]),
      (["-jn", "5"], ["limit": ["5"], "json": [""]], []),
      (["--lim", "-1"], ["limit": ["-1"]], []),
      (["--since", "1h", "--since", "2h"], ["since": ["1h", "2h"]], []),
      (["--", "--json", "-n"], [:], ["--json", "-n"]),
      (["--sort="], ["sort": [""]], []),
    ] as [([String], [String: [String]], [String])])
  func `is options with values, and operands`(
    words: [String], values: [String: [String]], operands: [String]
  ) throws {
    let arguments = try read(words)
    #expect(arguments.values == values)
    #expect(arguments.operands == operands)
  }

  @Test func `keeps what follows the command's name for the command`() throws {
    let arguments = try read(["--json", "wait", "--limit", "3"], stopsAtOperand: true)
    #expect(arguments.values == ["json": [""]])
    #expect(arguments.operands == ["wait", "--limit", "3"])
  }

  @Test(
    arguments: [
      (["--jsn"], "no option --jsn of status; did you mean --json?"),
      (["--frobnicate=1"], "no option --frobnicate of status; `nnjobs help status` lists them"),
      (["-x"], "no option -x of status; `nnjobs help status` lists them"),
      (["-jx"], "no option -x of status; `nnjobs help status` lists them"),
      (["--s", "1"], "option --s could be --since, --sort; write it out"),
      (["--limit"], "option --limit needs a value; write --limit COUNT"),
      (["-n"], "option --limit needs a value; write --limit COUNT"),
      (["--json=1"], "option --json takes no value; write --json alone"),
    ] as [([String], String)])
  func `that is wrong is answered with what would be right`(
    words: [String], sentence: String
  ) {
    let error = #expect(throws: OptionError.self) { try read(words) }
    #expect(error?.sentence == sentence)
    #expect(error.map { Complaint($0).exitCode } == .usage)
  }

  @Test(
    arguments: [
      ("stauts", "status"), ("statu", "status"), ("submti", "submit"), ("cancle", "cancel"),
      ("rnu", "run"), ("frobnicate", nil), ("x", nil),
    ] as [(String, String?)])
  func `with a misspelt command names the near one`(word: String, near: String?) {
    #expect(
      Suggestion.nearest(to: word, among: ["status", "submit", "run", "cancel", "wait"]) == near)
  }

  @Test func `has a page of help for every command that names every option`() throws {
    for command in Commands.all {
      let page = Help.page(of: command)
      for option in command.allOptions { #expect(page.contains("--\(option.name)")) }
      #expect(Help.overview.contains("\n  \(command.name)"))
      #expect(Set(command.allOptions.map(\.name)).count == command.allOptions.count)
      let letters = command.allOptions.compactMap(\.letter)
      #expect(Set(letters).count == letters.count, "\(command.name)")
    }
  }
}
