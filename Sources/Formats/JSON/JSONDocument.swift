/// A whole JSON text that was read: RFC 8259, and the words NaN, Infinity and -Infinity of Python's json.
///
/// Our own reader, because the input may be hostile and is mostly numbers. Foundation's decoder builds a box of
/// 24 bytes or more for each number, cannot say where an unknown key stands, keeps the last of two equal keys,
/// and takes NaN only together with the rest of JSON5 (comments, single quotes, trailing commas).
package struct JSONDocument: Sendable {
  /// How deep objects and arrays may be nested.
  package static let depthLimit = 64
  /// How many values there may be beside the numbers of arrays: a bound for memory, far above every real job.
  package static let valueLimit = 1_000_000

  /// The outermost value.
  package let root: JSONValue
  /// The numbers of all arrays.
  package let numbers: NumberPool

  /// Reads a text to its end.
  ///
  /// A text that ends too early throws an error whose `isIncomplete` is true, and only such a text does.
  /// - Parameters:
  ///   - bytes: The text in UTF-8.
  ///   - file: The file for messages.
  ///   - part: The part of the file that holds this text, before `line 1, column 1` in messages.
  package init(reading bytes: [UInt8], file: String, part: String? = nil) throws(FormatError) {
    var reader = JSONReader(bytes, file: file, part: part)
    root = try reader.document()
    numbers = reader.finish()
  }
}
