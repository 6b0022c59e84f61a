import FoundationEssentials

/// A JSON value to be written.
enum JSON: Encodable, Hashable, Sendable {
  /// null.
  case null
  /// true or false.
  case flag(Bool)
  /// A whole number.
  case integer(Int64)
  /// Another number; what is not finite becomes null.
  case number(Double)
  /// A text.
  case text(String)
  /// A list.
  case list([JSON])
  /// Names and values, written in order of the names.
  case object([String: JSON])

  /// A text or null.
  static func optional(_ text: String?) -> JSON { text.map { .text($0) } ?? .null }
  /// A number or null.
  static func optional(_ number: Double?) -> JSON { number.map { .number($0) } ?? .null }
  /// A whole number.
  static func integer(_ number: Int) -> JSON { .integer(Int64(number)) }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .list(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .object(let members):
      var container = encoder.container(keyedBy: Name.self)
      for (name, value) in members { try container.encode(value, forKey: Name(stringValue: name)) }
    default:
      var container = encoder.singleValueContainer()
      switch self {
      case .flag(let value): try container.encode(value)
      case .integer(let value): try container.encode(value)
      case .number(let value) where value.isFinite: try container.encode(value)
      case .text(let value): try container.encode(value)
      default: try container.encodeNil()
      }
    }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// One object with `"schema": 1` and these members, ended by a line feed.
  static func document(_ members: [String: JSON]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let whole = JSON.object(members.merging(["schema": .integer(1)]) { own, _ in own })
    return String(decoding: try encoder.encode(whole), as: UTF8.self) + "\n"
  }
}
