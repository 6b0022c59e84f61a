/// A rectangle of coloured pixels, row by row, three bytes each.
struct Pixels: Hashable, Sendable {
  /// How many rows there are.
  let rows: Int
  /// How many columns there are.
  let columns: Int
  /// Red, green and blue of each pixel, row by row.
  private(set) var bytes: [UInt8]

  /// A black rectangle.
  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    bytes = [UInt8](repeating: 0, count: rows * columns * 3)
  }

  /// The pixel at a place.
  subscript(row: Int, column: Int) -> Colour {
    get {
      let first = (row * columns + column) * 3
      return Colour(bytes[first], bytes[first + 1], bytes[first + 2])
    }
    set {
      let first = (row * columns + column) * 3
      bytes[first] = newValue.red
      bytes[first + 1] = newValue.green
      bytes[first + 2] = newValue.blue
    }
  }
}
