// Arrays of numbers, nested to any rank in equal lengths, become one range of the pool and a shape.

extension JSONReader {
  /// Whether the array at the position holds numbers: past all `[`, a number or the end of an empty array.
  ///
  /// What nested arrays begin with is looked up once, so that deep nesting costs no repeated scan.
  mutating func beginsNumbers() -> Bool {
    if lookedAhead.range.contains(position) { return lookedAhead.isNumeric }
    var end = position
    while end < bytes.count {
      switch bytes[end] {
      case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: "["): end += 1
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "]"),
        UInt8(ascii: "N"), UInt8(ascii: "I"):
        lookedAhead = (position..<end, true)
        return true
      default:
        lookedAhead = (position..<end, false)
        return false
      }
    }
    // The text ends here; as numbers or as a list, the reader says so.
    lookedAhead = (position..<end, true)
    return true
  }

  /// An array of numbers, from its outermost `[` on.
  mutating func numericArray(depth: Int) throws(FormatError) -> JSONValue.Content {
    let start = numbers.count
    var lengths: [Int] = []
    try row(level: 0, depth: depth, &lengths)
    return .numbers(start: start, shape: lengths)
  }

  /// One `[…]` at `level` within the outermost; `lengths` has one length a level, known after the first row.
  private mutating func row(
    level: Int, depth: Int, _ lengths: inout [Int]
  ) throws(FormatError) {
    let offset = position
    position += 1
    skipSpace()
    // The first row of a level decides: a length to be counted, and whether arrays or numbers are in it.
    let isFirst = level == lengths.count
    if isFirst { lengths.append(-1) }
    var count = 0
    if try byte() == UInt8(ascii: "]") {
      position += 1
    } else {
      var isOpen = true
      while isOpen {
        try element(level: level, depth: depth, isFirst: isFirst && count == 0, &lengths)
        count += 1
        skipSpace()
        switch try byte() {
        case UInt8(ascii: ","):
          position += 1
          skipSpace()
        case UInt8(ascii: "]"):
          position += 1
          isOpen = false
        default: throw unexpected("a comma or ]")
        }
      }
    }
    if isFirst {
      lengths[level] = count
    } else if lengths[level] != count {
      throw refusal(
        at: offset, "an array of length \(count) stands beside arrays of length \(lengths[level])",
        remedy: "all rows of an array have one length")
    }
  }

  /// A number, or a row one level further in.
  private mutating func element(
    level: Int, depth: Int, isFirst: Bool, _ lengths: inout [Int]
  ) throws(FormatError) {
    let hasRows = lengths.count > level + 1
    switch try byte() {
    case UInt8(ascii: "["):
      guard isFirst || hasRows else {
        throw refusal(
          at: position, "an array stands beside numbers",
          remedy: "all rows of an array have one length")
      }
      if depth == JSONDocument.depthLimit {
        throw refusal(at: position, "nested deeper than \(JSONDocument.depthLimit) levels")
      }
      try row(level: level + 1, depth: depth + 1, &lengths)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"),
      UInt8(ascii: "I"):
      guard !hasRows else {
        throw refusal(
          at: position, "a number stands beside arrays",
          remedy: "all rows of an array have one length")
      }
      numbers.append(try number())
    case UInt8(ascii: "n"):
      try word("null")
      throw refusal(at: position - 4, "null stands in an array of numbers", remedy: "write NaN")
    default: throw unexpected(hasRows ? "an array of numbers" : "a number")
    }
  }
}
