import Testing

@testable import nnjobs

@Suite struct `A picture in a terminal` {
  static let signs = Picture(rows: 3, columns: 2, numbers: [-1, 1, 0, 0, 0.5, .nan])

  @Test func `has two rows a line in 24-bit colour`() {
    let text = TerminalPicture(Self.signs, colours: .trueColour, width: 80, scale: 1).text
    #expect(
      text
        == "\u{1B}[38;2;5;48;97m\u{1B}[48;2;247;247;247m▀"
        + "\u{1B}[38;2;103;0;31m\u{1B}[48;2;247;247;247m▀\u{1B}[0m\n"
        + "\u{1B}[38;2;229;131;104m▀\u{1B}[38;2;128;128;128m▀\u{1B}[0m\n")
  }

  @Test func `uses the nearest of 256 colours`() {
    let text = TerminalPicture(Self.signs, colours: .palette, width: 80, scale: 1).text
    #expect(
      text
        == "\u{1B}[38;5;23m\u{1B}[48;5;231m▀\u{1B}[38;5;52m\u{1B}[48;5;231m▀\u{1B}[0m\n"
        + "\u{1B}[38;5;173m▀\u{1B}[38;5;244m▀\u{1B}[0m\n")
  }

  @Test func `has shades and signs without colours`() {
    let text = TerminalPicture(Self.signs, colours: .none, width: 80, scale: 1).text
    #expect(text == "-███\n    \n▒▒??\n")
  }

  @Test func `fits the terminal's width`() {
    let wide = Picture(rows: 3, columns: 1000, numbers: .init(repeating: 1, count: 3000))
    for colours in TerminalPicture.Colours.allCases {
      let lines = TerminalPicture(wide, colours: colours, width: 60).text.split(separator: "\n")
      let widths = lines.map { $0.count { "▀█".contains($0) } }
      #expect(widths.allSatisfy { $0 > 30 && $0 <= 60 }, "\(colours): \(widths)")
    }
  }

  @Test(
    arguments: [
      (true, "truecolor", "xterm", .trueColour),
      (true, nil, "xterm-256color", .palette),
      (true, nil, "vt100", .none),
      (false, "truecolor", "xterm-256color", .none),
      (true, nil, nil, .none),
    ] as [(Bool, String?, String?, TerminalPicture.Colours)])
  func `has the colours that terminal has`(
    wanted: Bool, colorterm: String?, term: String?, colours: TerminalPicture.Colours
  ) {
    let found = TerminalPicture.Colours(wanted: wanted, colorterm: colorterm, term: term)
    #expect(found == colours)
    let forced = TerminalPicture.Colours(
      wanted: wanted, isForced: wanted, colorterm: colorterm, term: term)
    #expect(forced == (wanted && colours == .none ? .palette : colours))
  }

  @Test(
    arguments: [
      (0, "0"), (1, "1"), (0.4213, "0.421"), (0.0042, "0.0042"), (12.34, "12.3"), (20, "20"),
      (123.4, "123"), (100, "100"), (1234, "1.23e3"), (1e-7, "1e-7"), (0.999_99, "1"),
    ])
  func `says in its legend what the strongest colours stand for`(limit: Double, words: String) {
    let picture = Picture(rows: 1, columns: 1, numbers: [limit])
    let legend = TerminalPicture(picture, colours: .none, width: 80).legend
    #expect(legend == "-█ −\(words)   0   ██ \(words)")
  }
}
