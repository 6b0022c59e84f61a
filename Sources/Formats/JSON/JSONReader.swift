/// Reads a JSON text byte by byte, once, from its first to its last; nested no deeper than a limit.
struct JSONReader: ~Copyable {
  /// The text.
  let bytes: [UInt8]
  /// Where the next byte is.
  var position = 0
  /// The numbers of arrays so far.
  var numbers: NumberBuffer
  /// The last look ahead into nested arrays: each `[` in this range begins the same kind of array.
  var lookedAhead: (range: Range<Int>, isNumeric: Bool) = (0..<0, false)
  private var valueCount = 0
  private let file: String
  private let part: String?

  /// Starts at the first byte.
  init(_ bytes: [UInt8], file: String, part: String?) {
    self.bytes = bytes
    self.file = file
    self.part = part
    // Numbers of an array are separated by commas, so there are fewer than commas and arrays together;
    // and each takes a byte and its separator another one.
    var separators = 1
    for byte in bytes where byte == UInt8(ascii: ",") || byte == UInt8(ascii: "[") {
      separators += 1
    }
    numbers = NumberBuffer(capacity: min(separators, bytes.count / 2 + 1))
  }

  /// Hands over the numbers when the text is read.
  consuming func finish() -> NumberPool { numbers.finish() }

  /// The whole text: one value, and white space around it.
  mutating func document() throws(FormatError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw refusal(
        at: 0, "a byte order mark stands before the document",
        remedy: "write it as UTF-8 without one")
    }
    skipSpace()
    let root = try value(depth: 0)
    skipSpace()
    if position < bytes.count {
      throw refusal(at: position, "\(Quotation.byte(bytes[position])) stands after the document")
    }
    return root
  }

  /// The value that begins at the position.
  mutating func value(depth: Int) throws(FormatError) -> JSONValue {
    valueCount += 1
    if valueCount > JSONDocument.valueLimit {
      throw refusal(at: position, "more than \(JSONDocument.valueLimit) values")
    }
    let offset = position
    switch try byte() {
    case UInt8(ascii: "{"):
      return JSONValue(offset: offset, content: try object(depth: try deeper(depth)))
    case UInt8(ascii: "["):
      let depth = try deeper(depth)
      let content =
        beginsNumbers() ? try numericArray(depth: depth) : try list(depth: depth)
      return JSONValue(offset: offset, content: content)
    case UInt8(ascii: "\""): return JSONValue(offset: offset, content: .text(try text()))
    case UInt8(ascii: "t"):
      try word("true")
      return JSONValue(offset: offset, content: .flag(true))
    case UInt8(ascii: "f"):
      try word("false")
      return JSONValue(offset: offset, content: .flag(false))
    case UInt8(ascii: "n"):
      try word("null")
      return JSONValue(offset: offset, content: .null)
    default: return JSONValue(offset: offset, content: .number(try number()))
    }
  }

  /// An object, from its `{` on.
  private mutating func object(depth: Int) throws(FormatError) -> JSONValue.Content {
    position += 1
    skipSpace()
    var members: [JSONMember] = []
    var seen: Set<String> = []
    if try byte() == UInt8(ascii: "}") {
      position += 1
      return .object([])
    }
    while true {
      let offset = position
      guard try byte() == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let key = try text()
      guard seen.insert(key).inserted else {
        let first = members.first { $0.key == key }?.offset ?? offset
        throw refusal(
          at: offset, "the key \(key.quoted) stands twice in one object, first in \(place(first))")
      }
      skipSpace()
      guard try byte() == UInt8(ascii: ":") else { throw unexpected("a colon") }
      position += 1
      skipSpace()
      members.append(JSONMember(key: key, offset: offset, value: try value(depth: depth)))
      skipSpace()
      switch try byte() {
      case UInt8(ascii: ","):
        position += 1
        skipSpace()
      case UInt8(ascii: "}"):
        position += 1
        return .object(members)
      default: throw unexpected("a comma or }")
      }
    }
  }

  /// An array that does not begin with a number, from its `[` on.
  private mutating func list(depth: Int) throws(FormatError) -> JSONValue.Content {
    position += 1
    skipSpace()
    var values: [JSONValue] = []
    while true {
      values.append(try value(depth: depth))
      skipSpace()
      switch try byte() {
      case UInt8(ascii: ","):
        position += 1
        skipSpace()
      case UInt8(ascii: "]"):
        position += 1
        return .list(values)
      default: throw unexpected("a comma or ]")
      }
    }
  }

  /// One of the words true, false, null, NaN, Infinity.
  mutating func word(_ word: StaticString) throws(FormatError) {
    let start = position
    for i in 0..<word.utf8CodeUnitCount {
      guard position < bytes.count else { throw endsEarly() }
      guard unsafe bytes[position] == word.utf8Start[i] else {
        position = start
        throw unexpected("a value")
      }
      position += 1
    }
  }

  /// The byte at the position; where there is none, the text ends too early.
  @inline(always)
  func byte() throws(FormatError) -> UInt8 {
    guard position < bytes.count else { throw endsEarly() }
    return bytes[position]
  }

  /// Passes space, tab, line feed and carriage return.
  mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// One level deeper, unless that is too deep.
  private func deeper(_ depth: Int) throws(FormatError) -> Int {
    if depth == JSONDocument.depthLimit {
      throw refusal(at: position, "nested deeper than \(JSONDocument.depthLimit) levels")
    }
    return depth + 1
  }
}

// MARK: - What is wrong, and where

extension JSONReader {
  /// The text ends although more belongs to it.
  func endsEarly() -> FormatError {
    FormatError(
      file: file, place: placeInFile(bytes.count),
      reason: bytes.isEmpty ? "the text is empty" : "ends before the document is complete",
      isIncomplete: true)
  }

  /// The byte at the position is not `expected`.
  func unexpected(_ expected: String) -> FormatError {
    guard position < bytes.count else { return endsEarly() }
    return refusal(
      at: position, "\(Quotation.byte(bytes[position])) stands where \(expected) belongs")
  }

  /// Something at `offset` makes this no JSON text.
  func refusal(at offset: Int, _ reason: String, remedy: String? = nil) -> FormatError {
    FormatError(file: file, place: placeInFile(offset), reason: reason, remedy: remedy)
  }

  /// `line 3, column 17`, counted from one; a column is a character (a Unicode scalar).
  func place(_ offset: Int) -> String {
    var line = 1
    var column = 1
    for byte in bytes.prefix(offset) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return "line \(line), column \(column)"
  }

  private func placeInFile(_ offset: Int) -> String {
    (part.map { $0 + ", " } ?? "") + place(offset)
  }
}
