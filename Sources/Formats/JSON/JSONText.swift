/// Writes values as JSON text.
package enum JSONText {
  /// A text in quotation marks; what JSON does not allow bare is escaped.
  package static func text(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// A number with as many digits as it needs to be read back exactly.
  package static func number(_ number: Double) -> String {
    number.isFinite ? "\(number)" : JSONValue.word(for: number)
  }

  /// A list of values that are JSON text already.
  package static func list(_ values: [String]) -> String {
    "[" + values.joined(separator: ", ") + "]"
  }

  /// An object of values that are JSON text already.
  package static func object(_ members: [(key: String, value: String)]) -> String {
    "{" + members.map { text($0.key) + ": " + $0.value }.joined(separator: ", ") + "}"
  }
}
