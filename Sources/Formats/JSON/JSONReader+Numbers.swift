extension JSONReader {
  /// A number in JSON's notation, or NaN, Infinity, -Infinity, rounded to the nearest double.
  mutating func number() throws(FormatError) -> Double {
    let start = position
    let isNegative = try byte() == UInt8(ascii: "-")
    if isNegative { position += 1 }
    switch try byte() {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): break
    case UInt8(ascii: "I"):
      try word("Infinity")
      return isNegative ? -.infinity : .infinity
    case UInt8(ascii: "N") where !isNegative:
      try word("NaN")
      return .nan
    default: throw unexpected(isNegative ? "a digit" : "a value")
    }

    var decimal = Decimal()
    if bytes[position] == UInt8(ascii: "0") {
      position += 1
      if position < bytes.count, isDigit(bytes[position]) {
        throw refusal(at: start, "a number begins with a needless zero")
      }
    } else {
      digits { decimal.append($0) }
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      guard isDigit(try byte()) else { throw unexpected("a digit") }
      let first = position
      digits { decimal.append($0) }
      decimal.exponent -= position - first
    }
    var mayShrink = true
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      let sign = try byte()
      mayShrink = sign == UInt8(ascii: "-")
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
      guard isDigit(try byte()) else { throw unexpected("a digit") }
      var exponent = 0
      // No text is long enough for its digits to make up for an exponent beyond this.
      digits { exponent = min(exponent * 10 + Int($0), 1 << 40) }
      decimal.exponent += sign == UInt8(ascii: "-") ? -exponent : exponent
    }

    if let exact = decimal.nearest { return isNegative ? -exact : exact }
    // Seldom: more than 19 digits or a large exponent. The standard library rounds exactly too.
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let number = Double(text) else { throw refusal(at: start, "\(text.quoted) is no number") }
    if number.isInfinite {
      if position == bytes.count, mayShrink { throw endsEarly() }
      throw refusal(
        at: start, "\(text.quoted) is beyond double precision",
        remedy: "write Infinity if that is meant")
    }
    return number
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private mutating func digits(_ body: (UInt64) -> Void) {
    while position < bytes.count, isDigit(bytes[position]) {
      body(UInt64(bytes[position] &- UInt8(ascii: "0")))
      position += 1
    }
  }
}
