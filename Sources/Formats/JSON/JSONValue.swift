/// One value of a JSON document, with the place where it begins.
package struct JSONValue: Sendable {
  /// The kinds of values; arrays of numbers are one kind of their own.
  package enum Content: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case flag(Bool)
    /// A number outside of arrays of numbers; also NaN and the infinities.
    case number(Double)
    /// A text, its escapes resolved.
    case text(String)
    /// Numbers nested to any rank in equal lengths: a range of the document's pool that begins at `start`.
    case numbers(start: Int, shape: [Int])
    /// An array of other values.
    case list([JSONValue])
    /// An object; no key stands twice.
    case object([JSONMember])
  }

  /// Where its first byte is.
  package let offset: Int
  /// What it is.
  package let content: Content

  /// Its kind for a message, as `a text`.
  package var kind: String {
    switch content {
    case .null: "null"
    case .flag(let flag): flag ? "true" : "false"
    case .number(let number): number.isFinite ? "a number" : JSONValue.word(for: number)
    case .text: "a text"
    case .numbers(_, let shape): shape == [0] ? "an empty list" : "an array of numbers"
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// How Python's json writes a number that JSON itself has no word for.
  package static func word(for number: Double) -> String {
    number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }
}

/// One key of an object and its value.
package struct JSONMember: Sendable {
  /// The key, its escapes resolved.
  package let key: String
  /// Where the key's first byte is.
  package let offset: Int
  /// The value.
  package let value: JSONValue
}
