import Jacobians

/// One safetensors job file made from a job whose arrays are in several files: planned here, then written piece by piece.
///
/// The document goes into the metadata, its arrays into tensors `W1`, `b1`, …, `inputs`, `targets`: double-precision ones
/// first, then single-precision ones, so that each stands at a multiple of its size and can be mapped as it is.
/// Numbers keep their type as F64 or F32; narrower ones are widened. A job that names no other file needs no packing:
/// its file is a job file already.
package struct JobPacking: Sendable {
  /// The size of the packed file in bytes.
  package let byteCount: Int
  private let header: [UInt8]
  private let arrays: [StoredArray]

  /// Plans the packed file of a job, with another priority where one is given.
  package init(_ job: JobFile, priority: Int? = nil) throws(FormatError) {
    let document = job.document
    let named = document.arrays.named.map { ($0.name, $0.array, JobPacking.type(of: $0.array)) }
    let ordered = named.filter { $0.2 == .float64 } + named.filter { $0.2 == .float32 }
    let text = document.text(priority: priority ?? document.priority)
    var members = [
      ("__metadata__", JSONText.object([(JobFile.metadataKey, JSONText.text(text))]))
    ]
    var end = 0
    for (name, array, type) in ordered {
      let start = end
      let (bytes, overflow) = array.count.multipliedReportingOverflow(by: type.byteCount)
      let (sum, overflowsToo) = end.addingReportingOverflow(bytes)
      // Half of what can be counted leaves room for the header.
      if overflow || overflowsToo || sum > Int.max / 2 {
        throw FormatError(file: job.path, reason: "the job has too many numbers for one file")
      }
      end = sum
      let tensor = JSONText.object([
        ("dtype", JSONText.text(type == .float64 ? "F64" : "F32")),
        ("shape", JSONText.list(array.shape.map(String.init))),
        ("data_offsets", JSONText.list(["\(start)", "\(end)"])),
      ])
      members.append((name, tensor))
    }
    var header = Array(JSONText.object(members).utf8)
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    guard header.count <= SafetensorsHeader.byteLimit else {
      throw FormatError(file: job.path, reason: "the document is too long for a safetensors header")
    }
    let length = UInt64(header.count)
    self.header = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
    byteCount = self.header.count + end
    arrays = ordered.map(\.1)
  }

  /// Writes the whole file, from its first byte on; `SystemError` is about it, `FormatError` about what is packed.
  package func write(to descriptor: borrowing Descriptor) throws {
    unsafe try descriptor.write(header.span.bytes, at: 0)
    var offset = header.count
    var maps = FileMaps()
    for array in arrays {
      switch JobPacking.type(of: array) {
      case .float64: try copy(array, as: Double.self, to: descriptor, at: &offset, &maps)
      case .float32: try copy(array, as: Float.self, to: descriptor, at: &offset, &maps)
      }
    }
  }

  private func copy<T: Scalar>(
    _ array: StoredArray, as type: T.Type, to descriptor: borrowing Descriptor,
    at offset: inout Int, _ maps: inout FileMaps
  ) throws {
    var stream = try NumberStream<T>(array, maps: &maps)
    var piece = [T](repeating: 0, count: min(array.count, 1 << 16))
    var rest = array.count
    while rest > 0 {
      let count = min(rest, piece.count)
      var numbers = piece.mutableSpan
      try stream.read(into: &numbers, count: count)
      let bytes = unsafe piece.span.extracting(0..<count).bytes
      try descriptor.write(bytes, at: offset)
      offset += bytes.byteCount
      rest -= count
    }
  }

  private static func type(of array: StoredArray) -> ScalarType {
    array.type.fitsSinglePrecision ? .float32 : .float64
  }
}
