extension JSONReader {
  /// A text, from its opening quotation mark to behind the closing one.
  mutating func text() throws(FormatError) -> String {
    position += 1
    let start = position
    var hasEscapes = false
    scan: while true {
      guard position < bytes.count else {
        try validate(start..<position, isCut: true)
        throw endsEarly()
      }
      switch bytes[position] {
      case UInt8(ascii: "\""): break scan
      case UInt8(ascii: "\\"):
        hasEscapes = true
        // The escaped byte may be a quotation mark; it is judged when the text is resolved.
        position += 2
      case 0..<0x20:
        throw refusal(
          at: position, "\(Quotation.byte(bytes[position])) stands bare in a text",
          remedy: "escape it with a backslash")
      default: position += 1
      }
    }
    let end = position
    try validate(start..<end, isCut: false)
    position += 1
    guard hasEscapes else { return String(decoding: bytes[start..<end], as: UTF8.self) }
    return try resolved(start..<end)
  }

  /// Refuses bytes that are no UTF-8, and bad escapes in a text that is cut; a character cut by the end is no reason.
  private func validate(_ range: Range<Int>, isCut: Bool) throws(FormatError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span.extracting(range.clamped(to: bytes.indices)))
    } catch {
      let isLast = range.lowerBound + error.byteOffsets.upperBound >= bytes.count
      if isLast, error.kind == .truncatedScalar { return }
      throw refusal(at: range.lowerBound + error.byteOffsets.lowerBound, "the text is not UTF-8")
    }
    if isCut { _ = try resolved(range.clamped(to: bytes.indices)) }
  }

  /// The text with its escapes replaced.
  private func resolved(_ range: Range<Int>) throws(FormatError) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var i = range.lowerBound
    while i < range.upperBound {
      guard bytes[i] == UInt8(ascii: "\\") else {
        result.append(bytes[i])
        i += 1
        continue
      }
      guard i + 1 < range.upperBound else { throw endsEarly() }
      switch bytes[i + 1] {
      case UInt8(ascii: "u"):
        let (scalar, next) = try scalar(at: i, before: range.upperBound)
        UTF8.encode(scalar) { result.append($0) }
        i = next
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(bytes[i + 1])
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      default:
        throw refusal(
          at: i, "\\ before \(Quotation.byte(bytes[i + 1])) is no escape",
          remedy: "escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
      }
      i += 2
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// A `\uXXXX`, or two of them that make one character beyond the first 65,536.
  private func scalar(
    at offset: Int, before end: Int
  ) throws(FormatError) -> (scalar: Unicode.Scalar, next: Int) {
    let first = try unit(at: offset, before: end)
    if let scalar = Unicode.Scalar(first) { return (scalar, offset + 6) }
    let lone = refusal(at: offset, "half a surrogate pair stands alone")
    guard first < 0xDC00 else { throw lone }
    for (i, expected) in [UInt8(ascii: "\\"), UInt8(ascii: "u")].enumerated() {
      let place = offset + 6 + i
      guard place < end else { throw end == bytes.count ? endsEarly() : lone }
      guard bytes[place] == expected else { throw lone }
    }
    let second = try unit(at: offset + 6, before: end)
    guard (0xDC00...0xDFFF).contains(second) else { throw lone }
    let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
    guard let scalar = Unicode.Scalar(value) else { throw lone }
    return (scalar, offset + 12)
  }

  /// The four hexadecimal digits of the `\uXXXX` at `offset`.
  private func unit(at offset: Int, before end: Int) throws(FormatError) -> UInt16 {
    var unit: UInt16 = 0
    for i in (offset + 2)..<(offset + 6) {
      if i >= end, end == bytes.count { throw endsEarly() }
      guard i < end, let digit = Character(Unicode.Scalar(bytes[i])).hexDigitValue else {
        throw refusal(at: offset, "\\u stands without four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
