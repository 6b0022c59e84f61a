/// One value of a document together with its path, so that what is wrong with it can be said where it stands.
struct DocumentField {
  /// The value.
  let value: JSONValue
  /// Its path, as `network.layers[1].activation`; empty for the document itself.
  let path: String
  /// The whole document.
  let document: JSONDocument
  /// The file for messages.
  let file: String

  /// Something is wrong here.
  func refusal(_ reason: String, remedy: String? = nil) -> FormatError {
    FormatError(
      file: file, place: path.isEmpty ? nil : path, reason: reason, remedy: remedy)
  }

  /// The value is of another kind than `expected`.
  func mismatch(_ expected: String) -> FormatError {
    refusal("\(value.kind) stands where \(expected) belongs")
  }

  /// The value as a text.
  func text() throws(FormatError) -> String {
    guard case .text(let text) = value.content else { throw mismatch("a text") }
    return text
  }

  /// The value as true or false.
  func flag() throws(FormatError) -> Bool {
    guard case .flag(let flag) = value.content else { throw mismatch("true or false") }
    return flag
  }

  /// The value as a finite number.
  func number() throws(FormatError) -> Double {
    guard case .number(let number) = value.content, number.isFinite else {
      throw mismatch("a finite number")
    }
    return number
  }

  /// The value as a whole number.
  func integer() throws(FormatError) -> Int {
    guard case .number(let number) = value.content else { throw mismatch("a whole number") }
    return try integer(number)
  }

  /// A number as a whole one, up to 2⁵³, which doubles hold exactly.
  func integer(_ number: Double) throws(FormatError) -> Int {
    guard let integer = Int(exactly: number), abs(number) <= 0x1p53 else {
      let word = number.isFinite ? "\(number)" : JSONValue.word(for: number)
      throw refusal("\(word) stands where a whole number belongs")
    }
    return integer
  }

  /// The values of a list, with their paths.
  func list() throws(FormatError) -> [DocumentField] {
    switch value.content {
    case .list(let values):
      return values.enumerated().map { (i, value) in
        DocumentField(value: value, path: "\(path)[\(i)]", document: document, file: file)
      }
    case .numbers(_, let shape) where shape == [0]: return []
    default: throw mismatch("a list")
    }
  }

  /// The value as an object that has no keys but the allowed ones.
  func object(allowing keys: [String]) throws(FormatError) -> DocumentObject {
    let object = try object()
    try object.allow(keys)
    return object
  }

  /// The value as an object.
  func object() throws(FormatError) -> DocumentObject {
    guard case .object(let members) = value.content else { throw mismatch("an object") }
    return DocumentObject(members: members, place: self)
  }
}

/// An object of a document.
struct DocumentObject {
  /// Its keys and values, in the order of the text.
  let members: [JSONMember]
  /// Where it stands.
  let place: DocumentField

  /// Refuses the first key that is not allowed, by its path.
  func allow(_ keys: [String]) throws(FormatError) {
    for member in members where !keys.contains(member.key) {
      throw field(member.key).refusal(
        "this key is not known", remedy: Suggestion.remedy(for: member.key, among: keys))
    }
  }

  /// The value of a key, or nil.
  func optional(_ key: String) -> DocumentField? {
    members.contains { $0.key == key } ? field(key) : nil
  }

  /// The value of a key that has to be there; `remedy` says what belongs there.
  func required(_ key: String, remedy: String? = nil) throws(FormatError) -> DocumentField {
    guard let field = optional(key) else {
      throw place.refusal("the key \(key.quoted) is missing", remedy: remedy)
    }
    return field
  }

  /// The place of a key, `null` where it is not there.
  func field(_ key: String) -> DocumentField {
    let isWord = key.utf8.allSatisfy {
      UnicodeScalar($0).properties.isAlphabetic && $0 < 0x80 || (0x30...0x39).contains($0)
        || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
    let step = isWord && !key.isEmpty && key.utf8.count <= 60 ? key : "[\(key.quoted)]"
    let separator = place.path.isEmpty || step.hasPrefix("[") ? "" : "."
    let value = members.first { $0.key == key }?.value ?? JSONValue(offset: 0, content: .null)
    return DocumentField(
      value: value, path: place.path + separator + step, document: place.document,
      file: place.file)
  }
}
