/// A grid of numbers to be looked at, row by row.
struct Picture: Hashable, Sendable {
  /// How many rows there are.
  let rows: Int
  /// How many columns there are.
  let columns: Int
  /// The numbers, row by row.
  let numbers: [Double]

  /// Takes `rows` × `columns` numbers, row by row.
  init(rows: Int, columns: Int, numbers: [Double]) {
    precondition(rows > 0 && columns > 0, "a picture has rows and columns")
    precondition(numbers.count == rows * columns, "a picture has a number for every place")
    self.rows = rows
    self.columns = columns
    self.numbers = numbers
  }

  /// The number at a place.
  subscript(row: Int, column: Int) -> Double { numbers[row * columns + column] }

  /// The largest magnitude of a finite number: what the strongest colour stands for.
  var limit: Double { numbers.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 } }

  /// The numbers as colours, each a square of `scale` × `scale` pixels.
  func pixels(scale: Int) -> Pixels {
    let colours = ColourScale(limit: limit)
    var pixels = Pixels(rows: rows * scale, columns: columns * scale)
    for row in 0..<rows {
      for column in 0..<columns {
        let colour = colours[self[row, column]]
        for y in row * scale..<(row + 1) * scale {
          for x in column * scale..<(column + 1) * scale { pixels[y, x] = colour }
        }
      }
    }
    return pixels
  }

  /// A picture of at most the given size: each place takes the number of largest magnitude among those it covers.
  func reduced(rows mostRows: Int, columns mostColumns: Int) -> Picture {
    let step = max(
      (rows + mostRows - 1) / mostRows, (columns + mostColumns - 1) / mostColumns, 1)
    guard step > 1 else { return self }
    let (fewerRows, fewerColumns) = ((rows + step - 1) / step, (columns + step - 1) / step)
    var strongest: [Double] = []
    for row in 0..<fewerRows {
      for column in 0..<fewerColumns {
        var found = self[row * step, column * step]
        for y in row * step..<min((row + 1) * step, rows) {
          for x in column * step..<min((column + 1) * step, columns) {
            let number = self[y, x]
            // A number that is not one must not hide behind its neighbours.
            if number.isNaN || abs(number) > abs(found) { found = number }
          }
        }
        strongest.append(found)
      }
    }
    return Picture(rows: fewerRows, columns: fewerColumns, numbers: strongest)
  }
}
