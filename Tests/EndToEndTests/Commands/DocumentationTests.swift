import CommandLineOptions
import Foundation
import Testing

@testable import nnjobs

@Suite struct `docs/cli.md` {
  /// Each section's text by its command's name, in order.
  private static func sections() throws -> [(name: String, text: String)] {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let text = try String(contentsOfFile: "/\(root)/docs/cli.md", encoding: .utf8)
    return text.components(separatedBy: "\n## ").dropFirst().map { section in
      (String(section.prefix { $0 != "\n" }), section)
    }
  }

  @Test func `has a section for each command, and for nothing else`() throws {
    #expect(
      try Self.sections().map(\.name).sorted() == Commands.all.map { $0.name }.sorted())
  }

  @Test func `shows the options of each command, all of them and no others`() throws {
    let sections = try Self.sections()
    for command in Commands.all {
      let section = try #require(sections.first { $0.name == command.name }).text
      let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `-") }
      // The first cell of a row: `-n`, `--limit COUNT`
      let documented = rows.map { row in
        String(row.split(separator: "|")[0]).trimmingCharacters(in: .whitespaces)
      }
      let declared = command.options.map { option in
        let value = option.value.map { " " + $0 } ?? ""
        return (option.letter.map { "`-\($0)`, " } ?? "") + "`--\(option.name)\(value)`"
      }
      #expect(documented.sorted() == declared.sorted(), "\(command.name)")
      #expect(section.contains("`nnjobs \(command.name)"), "\(command.name)")
    }
  }
}
