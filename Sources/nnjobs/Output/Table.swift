/// Columns of text, aligned; the last one is cut where the terminal ends.
struct Table: Sendable {
  /// Where a column's text stands.
  enum Alignment: Sendable { case left, right }
  /// One place.
  struct Cell: Sendable, ExpressibleByStringInterpolation {
    /// What stands there.
    var text: String
    /// In which colour.
    var colour: Colouring?

    /// A cell of that text.
    init(_ text: String, _ colour: Colouring? = nil) {
      self.text = text
      self.colour = colour
    }

    init(stringLiteral value: String) { self.init(value) }
  }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows: [[Cell]] = []

  /// An empty table.
  init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

  /// Adds a row of as many cells as there are columns; control characters are made visible.
  mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "a row has a cell for every column")
    rows.append(cells.map { Cell(Wording.visible($0.text), $0.colour) })
  }

  /// The lines, without the columns that are empty everywhere.
  func text(for terminal: Terminal) -> String {
    let shown = columns.indices.filter { column in
      rows.contains { !$0[column].text.isEmpty }
    }
    var widths: [Int: Int] = [:]
    for column in shown {
      widths[column] = max(
        columns[column].title.count, rows.map { $0[column].text.count }.max() ?? 0)
    }
    var lines = [line(columns.map { Cell($0.title, .faint) }, shown, widths, terminal)]
    lines += rows.map { line($0, shown, widths, terminal) }
    return lines.map { $0 + "\n" }.joined()
  }

  private func line(
    _ cells: [Cell], _ shown: [Int], _ widths: [Int: Int], _ terminal: Terminal
  ) -> String {
    var line = ""
    var used = 0
    for column in shown {
      var text = cells[column].text
      let isLast = column == shown.last
      if let most = terminal.columns {
        let room = max(0, most - used)
        if text.count > room { text = room > 1 ? String(text.prefix(room - 1)) + "…" : "" }
      }
      let padding = String(repeating: " ", count: max(0, (widths[column] ?? 0) - text.count))
      let coloured = terminal.text(text, cells[column].colour)
      switch columns[column].alignment {
      case .left: line += coloured + (isLast ? "" : padding + "  ")
      case .right: line += padding + coloured + (isLast ? "" : "  ")
      }
      used += max(widths[column] ?? 0, text.count) + 2
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
