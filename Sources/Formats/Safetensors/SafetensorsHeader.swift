/// The JSON header of a safetensors file: names, types, shapes and places of its tensors, and texts.
///
/// The rules are those of huggingface/safetensors: the tensors' bytes follow one another without a hole or an
/// overlap from the first byte behind the header, and each has just the bytes that its type and shape take.
package struct SafetensorsHeader: Sendable {
  /// The longest header that is read, as in the safetensors library.
  package static let byteLimit = 100_000_000

  /// One tensor, found but not read.
  package struct Tensor: Hashable, Sendable {
    /// The type as the file calls it, as `F64`; any name is allowed as long as nobody asks for its numbers.
    package let dtype: String
    /// The shape.
    package let shape: [Int]
    /// The place of its bytes behind the header.
    package let range: Range<Int>
  }

  /// The tensors by name.
  package let tensors: [String: Tensor]
  /// The texts under `__metadata__`.
  package let metadata: [String: String]
  /// How many bytes belong behind the header.
  package let dataByteCount: Int

  /// Reads a header, without the eight bytes that give its length.
  package init(reading bytes: [UInt8], file: String) throws(FormatError) {
    let document = try JSONDocument(reading: bytes, file: file, part: "the header")
    guard bytes.first == UInt8(ascii: "{"), case .object(let members) = document.root.content else {
      throw FormatError(file: file, place: "the header", reason: "it is not a JSON object")
    }
    var tensors: [String: Tensor] = [:]
    var metadata: [String: String] = [:]
    for member in members {
      if member.key == "__metadata__" {
        metadata = try SafetensorsHeader.texts(member.value, file: file)
      } else {
        let name = "tensor \(member.key.quoted)"
        tensors[member.key] = try SafetensorsHeader.tensor(
          member.value, document.numbers, FormatError(file: file, place: name, reason: ""))
      }
    }
    var end = 0
    for (name, tensor) in tensors.sorted(by: {
      ($0.value.range.lowerBound, $0.value.range.upperBound)
        < ($1.value.range.lowerBound, $1.value.range.upperBound)
    }) {
      guard tensor.range.lowerBound == end else {
        throw FormatError(
          file: file, place: "tensor \(name.quoted)",
          reason: "its bytes begin at \(tensor.range.lowerBound), those before end at \(end)",
          remedy: "tensors follow one another without a hole or an overlap")
      }
      end = tensor.range.upperBound
    }
    self.tensors = tensors
    self.metadata = metadata
    dataByteCount = end
  }

  private static func texts(
    _ value: JSONValue, file: String
  ) throws(FormatError) -> [String: String] {
    let refusal = FormatError(
      file: file, place: "__metadata__", reason: "it is not an object of texts")
    guard case .object(let members) = value.content else { throw refusal }
    var texts: [String: String] = [:]
    for member in members {
      guard case .text(let text) = member.value.content else { throw refusal }
      texts[member.key] = text
    }
    return texts
  }

  private static func tensor(
    _ value: JSONValue, _ numbers: NumberPool, _ frame: FormatError
  ) throws(FormatError) -> Tensor {
    func refusal(_ reason: String) -> FormatError {
      FormatError(file: frame.file, place: frame.place, reason: reason)
    }
    guard case .object(let members) = value.content else { throw refusal("it is not an object") }
    var dtype: String?
    var shape: [Int]?
    var offsets: [Int]?
    for member in members {
      switch (member.key, member.value.content) {
      case ("dtype", .text(let text)): dtype = text
      case ("shape", _): shape = lengths(member.value, numbers)
      case ("data_offsets", _): offsets = lengths(member.value, numbers)
      default: throw refusal("\(member.key.quoted) is not known, or not what it should be")
      }
    }
    guard let dtype else { throw refusal("it has no dtype") }
    guard let shape else { throw refusal("its shape is not a list of whole numbers") }
    guard let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw refusal("its data_offsets are not two whole numbers in order")
    }
    if let bits = bits[dtype] {
      guard let need = ArrayShape.byteCount(shape, bits: bits) else {
        throw refusal(
          "the shape \(Quotation.shape(shape)) of \(dtype) takes too many or no whole bytes")
      }
      guard need == offsets[1] - offsets[0] else {
        throw refusal(
          "the shape \(Quotation.shape(shape)) of \(dtype) takes \(need) bytes, data_offsets give "
            + "\(offsets[1] - offsets[0])")
      }
    }
    return Tensor(dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// A list of whole numbers from zero to 2⁵³, which doubles hold exactly; larger ones no file has.
  private static func lengths(_ value: JSONValue, _ numbers: NumberPool) -> [Int]? {
    guard case .numbers(let start, let shape) = value.content, shape.count == 1 else { return nil }
    var lengths: [Int] = []
    for i in start..<(start + shape[0]) {
      guard let length = Int(exactly: numbers.span[i]), (0...(1 << 53)).contains(length) else {
        return nil
      }
      lengths.append(length)
    }
    return lengths
  }

  /// The bits of a number of each type the safetensors library knows.
  private static let bits = [
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8,
    "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8, "C64": 64, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
  ]
}
