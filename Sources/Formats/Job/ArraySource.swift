/// Where a job document says an array's numbers are.
enum ArraySource {
  /// In the document itself, nested row by row.
  case numbers(start: Int, shape: [Int])
  /// `{"tensor": "name"}`: in the safetensors file that holds the document.
  case tensor(String)
  /// `{"file": "x.npy"}`, `{"file": "x.npz", "tensor": "name"}`: in another file, named relative to the document.
  case file(String, tensor: String?)

  /// Reads a source from its place in a document.
  init(_ field: DocumentField) throws(FormatError) {
    switch field.value.content {
    case .numbers(let start, let shape): self = .numbers(start: start, shape: shape)
    case .object:
      let object = try field.object(allowing: ["tensor", "file"])
      let tensor = try object.optional("tensor")?.text()
      if let file = try object.optional("file")?.text() {
        guard !file.isEmpty, !file.utf8.contains(0) else {
          throw object.field("file").refusal("\(file.quoted) is no path")
        }
        self = .file(file, tensor: tensor)
      } else if let tensor {
        self = .tensor(tensor)
      } else {
        throw field.refusal("the object is empty", remedy: "it takes \(ArraySource.expected)")
      }
    default: throw field.mismatch(ArraySource.expected)
    }
  }

  private static let expected = "an array of numbers or {\"tensor\": \"name\"}"
}
