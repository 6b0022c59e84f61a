import Testing

@testable import nnjobs

@Suite struct `A table` {
  private func sample() -> Table {
    var table = Table([("ID", .right), ("NAME", .left), ("EMPTY", .left), ("STATE", .left)])
    table.add(["7", "digits", "", .init("running", .cyan)])
    table.add(["12", "a\nb", "", "queued"])
    return table
  }

  @Test func `is aligned, without empty columns, with control characters made visible`() {
    let text = sample().text(for: Terminal(columns: nil, isColoured: false))
    #expect(
      text == """
        ID  NAME     STATE
         7  digits   running
        12  a\\u{a}b  queued

        """)
  }

  @Test func `colours words but not the blanks that align them`() {
    let text = sample().text(for: Terminal(columns: nil, isColoured: true))
    #expect(text.contains("digits   \u{1B}[36mrunning\u{1B}[0m\n"))
  }

  @Test func `ends where the terminal ends`() {
    let text = sample().text(for: Terminal(columns: 17, isColoured: false))
    for line in text.split(separator: "\n") { #expect(line.count <= 17) }
    #expect(text.contains(" 7  digits   run…\n"))
  }

  @Test(
    arguments: [
      (0, "··········"), (0.65, "██████▌···"), (1, "██████████"), (2, "██████████"),
      (-1, "··········"), (0.999, "█████████▉"),
    ] as [(Double, String)])
  func `has a bar of progress in eighths`(fraction: Double, text: String) {
    #expect(ProgressBar.text(fraction, columns: 10) == text)
  }

  @Test(
    arguments: [(0, "0 %"), (0.456, "45 %"), (0.999, "99 %"), (1, "100 %"), (.nan, "0 %")]
      as [(Double, String)])
  func `has a percentage that is never 100 before the end`(fraction: Double, text: String) {
    #expect(ProgressBar.percent(fraction) == text)
  }
}
