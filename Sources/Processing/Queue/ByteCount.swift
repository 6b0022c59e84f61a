/// Sizes as people write and read them, in binary units.
package enum ByteCount {
  private static let units: [(name: String, bytes: Int)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
  ]

  /// Reads `1.5GiB`, `500 MiB` or a plain number of bytes; nil when it is none of these.
  package static func parse(_ text: String) -> Int? {
    let unit = units.first { text.hasSuffix($0.name) } ?? ("", 1)
    var number = text.dropLast(unit.name.count)
    while number.last == " " { number.removeLast() }
    guard let value = Double(number), value >= 0, value * Double(unit.bytes) < 0x1p62 else {
      return nil
    }
    return Int(value * Double(unit.bytes))
  }

  /// `1.50 GiB`, `500 MiB`, `12 B`: three figures and the unit.
  package static func text(_ bytes: Int) -> String {
    let unit = units.first { bytes >= $0.bytes } ?? ("B", 1)
    if unit.bytes == 1 { return "\(bytes) B" }
    let value = Double(bytes) / Double(unit.bytes)
    let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    let scale = decimals == 2 ? 100.0 : decimals == 1 ? 10 : 1
    let rounded = (value * scale).rounded() / scale
    var text = "\(rounded)"
    if decimals == 0 { text.removeLast(2) }
    if decimals == 2, text.split(separator: ".").last?.count == 1 { text += "0" }
    return "\(text) \(unit.name)"
  }
}
