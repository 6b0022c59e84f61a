/// A page of the manual in mdoc(7), made from the same tables that read the command line and the configuration.
package struct ManualPage {
  /// A part of a page.
  package enum Part {
    /// A section's heading.
    case heading(String)
    /// A subsection's heading.
    case subheading(String)
    /// A paragraph; `indented lines` in it stand as they are.
    case text(String)
    /// A list: what each item is called, and what is said of it.
    case list([(tag: String, text: String)])
    /// A list of options.
    case options([Option])
    /// Lines that stand as they are.
    case literal(String)
    /// Other pages.
    case pages([(name: String, section: Int)])
  }

  /// The source, which mandoc(1) and groff(1) take.
  package let source: String

  /// Writes a page: `name` as `nnjobs`, its section, what it is in a line, how it is called, and its parts.
  package init(
    _ name: String, _ section: Int, date: String, summary: String, synopsis: [String],
    _ parts: [Part]
  ) {
    var lines = [
      ".\\\" Made by the program itself from its tables; do not edit.", ".Dd \(date)",
      ".Dt \(name.uppercased()) \(section)", ".Os", ".Sh NAME", ".Nm \(name)",
      ".Nd \(ManualPage.escaped(summary))",
    ]
    if !synopsis.isEmpty { lines += [".Sh SYNOPSIS"] + synopsis }
    for (index, part) in parts.enumerated() {
      lines += ManualPage.lines(of: part, after: index == 0 ? nil : parts[index - 1])
    }
    source = lines.joined(separator: "\n") + "\n"
  }

  private static func lines(of part: Part, after previous: Part?) -> [String] {
    switch part {
    case .heading(let words): return [".Sh \(words)"]
    case .subheading(let words): return [".Ss \(words)"]
    case .text(let text):
      let begins: Bool
      switch previous {
      case nil, .heading, .subheading: begins = true
      default: begins = false
      }
      return (begins ? [] : [".Pp"]) + paragraph(text)
    case .list(let items):
      return [".Bl -tag -width Ds"]
        + items.flatMap { [".It " + argument($0.tag)] + running($0.text) } + [".El"]
    case .options(let options):
      return [".Bl -tag -width Ds"]
        + options.flatMap { [".It " + macros(of: $0)] + running($0.summary + ".") } + [".El"]
    case .literal(let text):
      return [".Bd -literal -offset indent"] + text.split(separator: "\n").map { escaped($0) }
        + [".Ed"]
    case .pages(let pages):
      return pages.enumerated().map { index, page in
        ".Xr \(page.name) \(page.section)" + (index == pages.count - 1 ? "" : " ,")
      }
    }
  }

  /// Running text; lines that are indented stand as they are.
  private static func paragraph(_ text: String) -> [String] {
    var lines: [String] = []
    var open: [Substring] = []
    for line in text.split(separator: "\n") {
      guard line.hasPrefix(" ") else {
        open.append(line)
        continue
      }
      lines += running(open.joined(separator: " "))
      lines += [".Bd -literal -offset indent", escaped(line.drop { $0 == " " }), ".Ed"]
      open = []
    }
    return lines + running(open.joined(separator: " "))
  }

  /// Running text, each sentence on lines of its own, as mdoc wants it.
  private static func running(_ text: String) -> [String] {
    var sentences: [String] = [""]
    for word in text.split(separator: " ") {
      sentences[sentences.count - 1] += (sentences[sentences.count - 1].isEmpty ? "" : " ") + word
      if let last = word.last(where: { $0 != ")" }), ".!?".contains(last) { sentences.append("") }
    }
    return sentences.flatMap { $0.wrapped(at: 66).map { escaped($0) } }
  }

  /// `.It Fl n , Fl -limit Ar COUNT`, as mdoc writes an option with its letter.
  private static func macros(of option: Option) -> String {
    let letter = option.letter.map { "Fl \($0) , " } ?? ""
    let value = option.value.map { " Ar " + argument($0) } ?? ""
    return "\(letter)Fl -\(option.name)\(value)"
  }

  /// A word or several as one argument of a macro.
  private static func argument(_ words: String) -> String {
    "\"" + escaped(words).replacing("\"", with: "\\(dq") + "\""
  }

  /// Text as roff reads it: no line is taken for a request, and what is not ASCII is named by its number.
  private static func escaped(_ text: some StringProtocol) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": line += "\\e"
      case "-": line += "\\-"
      // What is to be typed is not quoted in a manual.
      case "`": break
      case "'": line += "\\(aq"
      case "…": line += "..."
      case _ where scalar.value >= 0x20 && scalar.value < 0x7F: line.unicodeScalars.append(scalar)
      default: line += "\\[u\(hexadecimal(scalar.value))]"
      }
    }
    return line.hasPrefix(".") ? "\\&" + line : line
  }

  /// At least four digits.
  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
