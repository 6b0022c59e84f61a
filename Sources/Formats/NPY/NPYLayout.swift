/// What the header of a `.npy` file says: format versions 1, 2 and 3, either byte order, either element order.
package struct NPYLayout: Hashable, Sendable {
  /// The longest header that is read; numpy itself refuses more than 10,000 bytes unless told otherwise.
  package static let headerLimit = 65_535

  /// The shape of the array.
  package let shape: [Int]
  /// The type of its numbers.
  package let type: StoredType
  /// Whether the highest byte of each number comes first.
  package let isBigEndian: Bool
  /// Whether the first index runs fastest.
  package let isColumnMajor: Bool
  /// Where the numbers begin, in bytes.
  package let dataOffset: Int

  /// Reads the header at the beginning of a file and checks its claims against the file's size.
  /// - Parameters:
  ///   - bytes: The first bytes of the file: all of them, or at least `headerLimit` + 12.
  ///   - size: The size of the whole file.
  ///   - file: The file for messages.
  package init(reading bytes: [UInt8], of size: Int, file: String) throws(FormatError) {
    func refusal(_ place: Int?, _ reason: String, remedy: String? = nil) -> FormatError {
      FormatError(
        file: file, place: place.map { "byte \($0)" }, reason: reason, remedy: remedy)
    }
    func endsEarly(_ what: String) -> FormatError {
      FormatError(
        file: file, place: "byte \(size)", reason: "the file ends before \(what)",
        isIncomplete: true)
    }
    for (i, byte) in NPYHeader.magic.enumerated() {
      guard i < bytes.count else { throw endsEarly("its header does") }
      guard bytes[i] == byte else {
        throw refusal(0, "the file does not begin as a .npy file", remedy: "numpy.save writes one")
      }
    }
    guard bytes.count > 6 else { throw endsEarly("its header does") }
    guard (1...3).contains(bytes[6]) else {
      throw refusal(6, "format version \(bytes[6]) is not known; versions 1, 2 and 3 are")
    }
    let textOffset = bytes[6] == 1 ? 10 : 12
    guard bytes.count >= textOffset else { throw endsEarly("its header does") }
    guard bytes[7] == 0 else {
      throw refusal(7, "format version \(bytes[6]).\(bytes[7]) is not known")
    }
    let length = bytes[8..<textOffset].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= NPYLayout.headerLimit else {
      throw refusal(
        8, "the header claims \(length) bytes; at most \(NPYLayout.headerLimit) are read")
    }
    guard bytes.count >= textOffset + length else { throw endsEarly("its header does") }
    dataOffset = textOffset + length

    let header = try NPYLayout.entries(
      Array(bytes[textOffset..<dataOffset]), at: textOffset, file: file)
    guard case .flag(let isColumnMajor) = header["fortran_order"],
      case .integers(let shape) = header["shape"], let descr = header["descr"], header.count == 3
    else {
      throw refusal(
        textOffset, "the header has not the keys descr, fortran_order and shape with their values")
    }
    guard case .text(let name) = descr else {
      throw refusal(
        textOffset, "structured numbers are not supported", remedy: NPYLayout.supported)
    }
    guard let (type, isBigEndian) = NPYLayout.type(name) else {
      throw refusal(
        textOffset, "numbers of type \(name.quoted) are not supported", remedy: NPYLayout.supported)
    }
    self.type = type
    self.isBigEndian = isBigEndian
    self.isColumnMajor = isColumnMajor
    self.shape = shape
    guard let need = ArrayShape.byteCount(shape, bits: 8 * type.byteCount) else {
      throw refusal(textOffset, "the shape \(Quotation.shape(shape)) has too many numbers")
    }
    let rest = size - dataOffset
    if rest < need {
      throw endsEarly(
        "its numbers do: shape \(Quotation.shape(shape)) takes \(need) bytes, there are \(rest)")
    }
    if rest > need {
      throw refusal(
        dataOffset + need,
        "the numbers of shape \(Quotation.shape(shape)) end here, "
          + "\(Quotation.count(rest - need, "byte")) before the file does")
    }
  }

  private static func entries(
    _ text: [UInt8], at offset: Int, file: String
  ) throws(FormatError) -> [String: PythonLiteral] {
    var reader = PythonDictionaryReader(text)
    do throws(PythonDictionaryReader.Failure) {
      return try reader.dictionary()
    } catch {
      throw FormatError(file: file, place: "byte \(offset + error.offset)", reason: error.reason)
    }
  }

  private static let supported =
    "supported are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 and bool, in either byte order"

  /// The type that numpy calls `<f8`, `>i4`, `|b1`, …
  private static func type(_ name: String) -> (StoredType, isBigEndian: Bool)? {
    guard let order = name.first, "<>|=".contains(order) else { return nil }
    let type: StoredType
    switch name.dropFirst() {
    case "f8": type = .float64
    case "f4": type = .float32
    case "f2": type = .float16
    case "i1": type = .int8
    case "i2": type = .int16
    case "i4": type = .int32
    case "i8": type = .int64
    case "u1": type = .uint8
    case "u2": type = .uint16
    case "u4": type = .uint32
    case "u8": type = .uint64
    case "b1": type = .bool
    default: return nil
    }
    // `|` says that there is no order, which is so for single bytes only.
    guard order != "|" || type.byteCount == 1 else { return nil }
    return (type, order == ">")
  }
}
