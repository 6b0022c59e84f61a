/// A job file examined: the document is valid, the shapes chain, every array is there; no tensor is read yet.
///
/// It keeps the file open, and the numbers of a JSON file in memory, until it goes: hold few at a time.
package struct JobFile: Sendable {
  /// Whether a document may name other files, as `{"file": "x.npy"}`.
  package enum References: Sendable {
    /// In the inbox: one job is one file.
    case refused
    /// For `run`, `check` and `submit`: relative to the document's folder, with the caller's own rights.
    case allowed
  }

  /// The two kinds of job files.
  package enum Kind: Sendable {
    /// `NAME.json`.
    case json
    /// `NAME.safetensors`, the document in its metadata.
    case safetensors
  }

  /// The metadata key of a safetensors file that holds the document.
  package static let metadataKey = "nnjob"
  /// How large a JSON job file may be in bytes.
  package static let jsonByteLimit = 64 << 20

  /// The file as the user named it.
  package let path: String
  /// Which kind of file it is.
  package let kind: Kind
  /// What the file asks for.
  package let document: JobDocument
  /// Whether it names other files, so that it has to be packed before it can be dropped.
  package let hasReferences: Bool
  private let source: SourceFile

  /// Opens and examines a file.
  package init(examining path: String, references: References) throws(FormatError) {
    try self.init(SourceFile(opening: path), references)
  }

  /// Examines an open file through reads at offsets only, so that a file cut short meanwhile is an error, no signal.
  package init(
    examining descriptor: borrowing Descriptor, references: References
  ) throws(FormatError) {
    try self.init(SourceFile(sharing: descriptor), references)
  }

  /// Examines bytes in memory as if they were the file at `path`.
  package init(
    examining bytes: [UInt8], path: String, references: References = .refused
  ) throws(FormatError) {
    try self.init(SourceFile(bytes: bytes, path: path), references)
  }

  private init(_ source: SourceFile, _ references: References) throws(FormatError) {
    kind = try JobFile.kind(of: source)
    let json: JSONDocument
    var container: SafetensorsFile?
    switch kind {
    case .json: json = try JobFile.document(in: source)
    case .safetensors:
      let file = try SafetensorsFile(source)
      json = try JobFile.document(in: file, path: source.path)
      container = file
    }
    let written = try WrittenJob(json, file: source.path)
    var finder = ArrayFinder(
      numbers: json.numbers, container: container, references: references, file: source.path)
    document = try JobDocument(written, finder: &finder)
    hasReferences = finder.hasReferences
    path = source.path
    self.source = source
  }

  /// By its ending; without a known one, by its first bytes.
  private static func kind(of source: SourceFile) throws(FormatError) -> Kind {
    if source.path.hasSuffix(".json") { return .json }
    if source.path.hasSuffix(".safetensors") { return .safetensors }
    let first = try source.read(count: min(source.size, 9), at: 0)
    // Bytes 4 to 7 of a header's length are zero, and no JSON text has a zero.
    return first.count == 9 && first[4..<8].allSatisfy { $0 == 0 } ? .safetensors : .json
  }

  private static func document(in source: SourceFile) throws(FormatError) -> JSONDocument {
    guard source.size <= jsonByteLimit else {
      throw FormatError(
        file: source.path,
        reason: "a JSON job file of \(source.size) bytes is too large; at most \(jsonByteLimit) "
          + "are read", remedy: "save the arrays as safetensors with the document in its metadata")
    }
    let bytes = try source.read(count: source.size, at: 0)
    return try JSONDocument(reading: bytes, file: source.path)
  }

  private static func document(
    in file: SafetensorsFile, path: String
  ) throws(FormatError) -> JSONDocument {
    guard let text = file.header.metadata[metadataKey] else {
      throw FormatError(
        file: path, place: "__metadata__", reason: "the key \(metadataKey.quoted) is missing",
        remedy: "save the file with metadata={\"nnjob\": json.dumps(document)}")
    }
    do throws(FormatError) {
      return try JSONDocument(
        reading: Array(text.utf8), file: path, part: "__metadata__.\(metadataKey)")
    } catch {
      // The file is whole: more bytes behind it do not complete the document.
      throw FormatError(
        file: error.file, place: error.place, reason: error.reason, remedy: error.remedy)
    }
  }
}
