package import FoundationEssentials

extension JSONDecoder {
  /// How deep arrays and objects may be nested in what is decoded; what we write has five levels.
  private static let deepest = 64

  /// Decodes JSON that may come from anywhere; throws where it is nested too deep, or as `decode` does.
  ///
  /// Foundation's scanner refuses more than 512 levels, and reads beyond its buffer while it words that error, which ends
  /// the process (Swift 6.3.1).
  package func decode<Value: Decodable>(
    _ type: Value.Type, fromAnything bytes: [UInt8]
  ) throws -> Value {
    var depth = 0
    var isText = false
    var isEscaped = false
    for byte in bytes {
      if isText {
        isText = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      guard depth <= JSONDecoder.deepest else {
        throw DecodingError.dataCorrupted(
          DecodingError.Context(
            codingPath: [], debugDescription: "nested deeper than \(JSONDecoder.deepest) levels"))
      }
    }
    return try decode(type, from: Data(bytes))
  }
}
