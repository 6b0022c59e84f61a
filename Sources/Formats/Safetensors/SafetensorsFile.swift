/// A safetensors file whose header was read and checked against its size; no tensor is read yet.
package struct SafetensorsFile: Sendable {
  /// Names, shapes and texts.
  package let header: SafetensorsHeader
  private let file: SourceFile
  private let dataOffset: Int

  /// Opens a file and reads its header.
  package init(examining path: String) throws(FormatError) {
    try self.init(SourceFile(opening: path))
  }

  /// Reads the header of a file in memory; `path` names it in messages.
  package init(examining bytes: [UInt8], path: String) throws(FormatError) {
    try self.init(SourceFile(bytes: bytes, path: path))
  }

  init(_ file: SourceFile) throws(FormatError) {
    self.file = file
    func endsEarly(_ reason: String) -> FormatError {
      FormatError(
        file: file.path, place: "byte \(file.size)", reason: reason, isIncomplete: true)
    }
    let first = try file.read(count: min(file.size, 8), at: 0)
    guard first.count == 8 else {
      throw endsEarly(
        first.isEmpty ? "the file is empty" : "the file ends before its header's length does")
    }
    let length = first.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(SafetensorsHeader.byteLimit) else {
      throw FormatError(
        file: file.path, place: "byte 0",
        reason: "the header claims \(length) bytes; at most \(SafetensorsHeader.byteLimit) are "
          + "allowed", remedy: "safetensors.numpy.save_file writes such a file")
    }
    dataOffset = 8 + Int(length)
    let text = try file.read(count: min(Int(length), file.size - 8), at: 8)
    guard text.count == Int(length) else {
      // What is there may be wrong already; more bytes would not help then.
      do throws(FormatError) {
        _ = try JSONDocument(reading: text, file: file.path, part: "the header")
      } catch {
        if !error.isIncomplete { throw error }
      }
      throw endsEarly("the file ends before its header of \(length) bytes does")
    }
    do throws(FormatError) {
      header = try SafetensorsHeader(reading: text, file: file.path)
    } catch {
      // The header has all its bytes: more behind it do not help.
      throw FormatError(
        file: error.file, place: error.place, reason: error.reason, remedy: error.remedy)
    }
    let rest = file.size - dataOffset
    if rest < header.dataByteCount {
      throw endsEarly(
        "the file ends before its tensors do: they take \(header.dataByteCount) bytes, there are "
          + "\(rest)")
    }
    if rest > header.dataByteCount {
      throw FormatError(
        file: file.path, place: "byte \(dataOffset + header.dataByteCount)",
        reason: "the last tensor ends here, "
          + "\(Quotation.count(rest - header.dataByteCount, "byte")) before the file does")
    }
  }

  /// The tensor of a name, if its type is one that can be read.
  package func array(named name: String) throws(FormatError) -> StoredArray {
    guard let tensor = header.tensors[name] else {
      throw FormatError(
        file: file.path, reason: "there is no tensor \(name.quoted)",
        remedy: header.tensors.isEmpty
          ? "the file holds no tensors"
          : Suggestion.remedy(for: name, among: header.tensors.keys.sorted()))
    }
    let types: [String: StoredType] = [
      "F64": .float64, "F32": .float32, "F16": .float16, "BF16": .bfloat16,
    ]
    guard let type = types[tensor.dtype] else {
      throw FormatError(
        file: file.path, reason: "tensor \(name.quoted) is of type \(tensor.dtype.quoted)",
        remedy: "supported are F64, F32, F16 and BF16")
    }
    return StoredArray(
      shape: tensor.shape, type: type,
      location: .file(file, offset: dataOffset + tensor.range.lowerBound))
  }
}
