/// The few Python literals that a `.npy` header consists of.
enum PythonLiteral: Hashable {
  /// `'<f8'`.
  case text(String)
  /// `True` or `False`.
  case flag(Bool)
  /// `(3, 4)`, `(3,)`, `()`; also with the `L` of Python 2 behind numbers.
  case integers([Int])
  /// `[('a', '<f8')]`, or anything else in square brackets, unread.
  case list
}

/// Reads the dictionary of a `.npy` header: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
struct PythonDictionaryReader {
  /// What is wrong with the text, and at which of its bytes.
  struct Failure: Error {
    let offset: Int
    let reason: String
  }

  private let bytes: [UInt8]
  private var position = 0

  /// Starts at the first byte.
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The whole dictionary; behind it only white space.
  mutating func dictionary() throws(Failure) -> [String: PythonLiteral] {
    var entries: [String: PythonLiteral] = [:]
    try take("{")
    while !takes("}") {
      let key = try text()
      try take(":")
      let start = position
      guard entries.updateValue(try value(), forKey: key) == nil else {
        throw Failure(offset: start, reason: "the key \(key.quoted) stands twice")
      }
      if !takes(",") {
        try take("}")
        break
      }
    }
    skipSpace()
    if position < bytes.count { throw unexpected("the end of the header") }
    return entries
  }

  private mutating func value() throws(Failure) -> PythonLiteral {
    skipSpace()
    guard position < bytes.count else { throw unexpected("a value") }
    switch bytes[position] {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "("): return .integers(try tuple())
    case UInt8(ascii: "["):
      try skipList()
      return .list
    default:
      if takes("True") { return .flag(true) }
      if takes("False") { return .flag(false) }
      throw unexpected("a text, True, False or a tuple")
    }
  }

  private mutating func text() throws(Failure) -> String {
    skipSpace()
    guard position < bytes.count, [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[position])
    else { throw unexpected("a text in quotes") }
    let quote = bytes[position]
    let start = position + 1
    position = start
    while position < bytes.count, bytes[position] != quote {
      guard (0x20..<0x7F).contains(bytes[position]), bytes[position] != UInt8(ascii: "\\") else {
        throw unexpected("a plain character")
      }
      position += 1
    }
    guard position < bytes.count else { throw unexpected("a closing quote") }
    position += 1
    return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
  }

  private mutating func tuple() throws(Failure) -> [Int] {
    try take("(")
    var integers: [Int] = []
    while !takes(")") {
      integers.append(try integer())
      if !takes(",") {
        try take(")")
        break
      }
    }
    return integers
  }

  private mutating func integer() throws(Failure) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowsToo) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      if overflows || overflowsToo { throw Failure(offset: start, reason: "a length is too large") }
      value = sum
      position += 1
    }
    if position == start { throw unexpected("a length") }
    if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
    return value
  }

  /// Passes a list with its nested brackets; quotes in it are not looked into, the list is refused anyway.
  private mutating func skipList() throws(Failure) {
    var depth = 0
    repeat {
      guard position < bytes.count else { throw unexpected("]") }
      if bytes[position] == UInt8(ascii: "[") { depth += 1 }
      if bytes[position] == UInt8(ascii: "]") { depth -= 1 }
      position += 1
    } while depth > 0
  }

  private mutating func take(_ word: String) throws(Failure) {
    if !takes(word) { throw unexpected(word.quoted) }
  }

  private mutating func takes(_ word: String) -> Bool {
    skipSpace()
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
      position += 1
    }
  }

  private func unexpected(_ expected: String) -> Failure {
    let found = position < bytes.count ? Quotation.byte(bytes[position]) : "the header's end"
    return Failure(offset: position, reason: "\(found) stands where \(expected) belongs")
  }
}
