import CommandLineOptions
import Foundation
import Processing
import TestSupport
import Testing

@testable import nnjobs

extension EndToEnd {
  @Suite struct `The manual` {
    /// How each page is written, and what must be in it.
    private static let pages: [(program: String, arguments: [String], words: [String])] = [
      (
        Binaries.nnjobs, ["help", "--man"],
        Commands.all.map { ".Ss \($0.name)" }
          + Commands.all.flatMap { $0.allOptions.map { "Fl -\($0.name)" } }
          + ExitCode.allCases.map { ".It \"\($0.rawValue)\"" }
      ),
      (
        Binaries.nnjobsd, ["--man", "nnjobsd"],
        Setting.all.compactMap { $0.option.map { "Fl -\($0) " } } + ["Fl h , Fl -help"]
      ),
      (
        Binaries.nnjobsd, ["--man", "nnjobs.conf"],
        Setting.all.map { ".It \"\($0.name) = \($0.value)\"" }
      ),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: pages.indices)
    func `has all that its tables have, and both mandoc and groff take it without a word`(
      index: Int
    ) async throws {
      let page = Self.pages[index]
      let folder = try TemporaryFolder()
      let run = try await ProgramRun(page.program, page.arguments, in: folder)
      #expect(run.status == 0 && run.errors == "")
      for word in page.words { #expect(run.output.contains(word)) }
      try folder.write(run.output, to: "page")
      if let mandoc = Binaries.ofSystem("mandoc") {
        let lint = try await ProgramRun(mandoc, ["-T", "lint", "-W", "style", "page"], in: folder)
        // Pages that are not installed here, these three among them, are no fault of this one.
        let faults = lint.output.split(separator: "\n").filter {
          !$0.contains("referenced manual not found") && !$0.contains("mandoc.db")
        }
        #expect(faults.isEmpty)
      }
      if let groff = Binaries.ofSystem("groff") {
        let formatted = try await ProgramRun(
          groff, ["-mandoc", "-T", "utf8", "-ww", "-z", "page"], in: folder)
        #expect(formatted.status == 0 && formatted.errors == "")
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `has no page of another name`() async throws {
      let run = try await ProgramRun(Binaries.nnjobsd, ["--man", "x"], in: try TemporaryFolder())
      #expect(run.status == 64)
      #expect(run.errors == "nnjobsd: --man is nnjobsd or nnjobs.conf, not \"x\"\n")
    }
  }
}

@Suite struct `What a manual page escapes` {
  @Test func `is every line that roff would take for a request, and what is not ASCII`() {
    let page = ManualPage(
      "p", 1, date: "January 1, 2026", summary: "it's – a \\ page", synopsis: [],
      [
        .heading("TEXT"),
        .text(".Sh no heading\n'not one. Two\nplain\n  two  blanks \"and\" more\n`end` it"),
        .options([Option("long", letter: "l", value: "A B", "does it")]),
      ])
    #expect(
      page.source.split(separator: "\n").dropFirst(6).map(String.init) == [
        ".Nd it\\(aqs \\[u2013] a \\e page", ".Sh TEXT", "\\&.Sh no heading \\(aqnot one.",
        "Two plain",
        ".Bd -literal -offset indent", "two  blanks \"and\" more", ".Ed", "end it",
        ".Bl -tag -width Ds", ".It Fl l , Fl -long Ar \"A B\"", "does it.", ".El",
      ])
  }
}

@Suite struct `docs/operations.md` {
  @Test func `has a row for each setting, and for nothing else`() throws {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let text = try String(contentsOfFile: "/\(root)/docs/operations.md", encoding: .utf8)
    let section = text.components(separatedBy: "\n## Configuration")[1]
      .components(separatedBy: "\n## ")[0]
    let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
      .map { String($0.dropFirst(3).prefix { $0 != "`" }) }
    #expect(rows.sorted() == Setting.all.map(\.name).sorted())
  }
}
