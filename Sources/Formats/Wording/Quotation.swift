extension String {
  /// This text between quotation marks for a message: shortened, control characters and quotes escaped.
  package var quoted: String {
    var words = "\""
    var length = 0
    for scalar in unicodeScalars {
      if length == 60 {
        words += "…"
        break
      }
      length += 1
      switch scalar {
      case "\"", "\\": words += "\\" + String(scalar)
      case _ where scalar.properties.isWhitespace && scalar != " ",
        _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value),
        _ where scalar.properties.generalCategory == .format:
        words += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: words.unicodeScalars.append(scalar)
      }
    }
    return words + "\""
  }
}

/// The words of messages that name a byte, a shape or a choice.
package enum Quotation {
  /// One byte of a text: `"x"`, or `byte 0x1F` when it is no visible ASCII character.
  package static func byte(_ byte: UInt8) -> String {
    if byte == UInt8(ascii: "\"") { return "'\"'" }
    if (0x21...0x7E).contains(byte) { return "\"" + String(UnicodeScalar(byte)) + "\"" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
  }

  /// A shape as in the documentation: `(3, 4)`, `(3)`, `()`.
  package static func shape(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + ")"
  }

  /// A name as it is when it is one short word of visible characters, else in quotation marks.
  private static func name(_ name: String) -> String {
    let isWord = name.unicodeScalars.prefix(61).allSatisfy {
      $0.properties.isAlphabetic || $0.properties.numericType != nil
        || ($0.isASCII && $0.value > 0x20 && $0.value < 0x7F)
    }
    return isWord && !name.isEmpty && name.unicodeScalars.count <= 60 ? name : name.quoted
  }

  /// A number of things: `1 byte`, `2 bytes`.
  package static func count(_ count: Int, _ thing: String) -> String {
    "\(count) \(thing)" + (count == 1 ? "" : "s")
  }

  /// Names in a row, at most `limit` of them: `a, b, c and 30 more`.
  package static func list(_ names: [String], limit: Int = 20) -> String {
    let shown = names.prefix(limit).map(name).joined(separator: ", ")
    return names.count > limit ? shown + " and \(names.count - limit) more" : shown
  }
}
