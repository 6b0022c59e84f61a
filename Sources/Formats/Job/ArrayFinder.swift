/// Finds the arrays that a job document names: in the document, in the job file, in files beside it.
struct ArrayFinder {
  /// The numbers of the document.
  let numbers: NumberPool
  /// The safetensors file that holds the document, if one does.
  let container: SafetensorsFile?
  /// Whether other files may be named.
  let references: JobFile.References
  /// The job file, for messages and as what paths are relative to.
  let file: String
  /// Whether another file was named.
  private(set) var hasReferences = false
  private var opened: [String: Opened] = [:]

  private enum Opened {
    case npy(NPYFile)
    case npz(NPZFile)
    case safetensors(SafetensorsFile)
  }

  /// Looks for arrays of the job file `file`.
  init(
    numbers: NumberPool, container: SafetensorsFile?, references: JobFile.References, file: String
  ) {
    self.numbers = numbers
    self.container = container
    self.references = references
    self.file = file
  }

  /// The array that `written` names, its shape known and its size checked, its numbers not read.
  mutating func find(_ written: WrittenJob.WrittenArray) throws(FormatError) -> StoredArray {
    switch written.source {
    case .numbers(let start, let shape):
      return StoredArray(shape: shape, type: .float64, location: .numbers(numbers, start: start))
    case .tensor(let name):
      guard let container else {
        throw written.field.refusal(
          "a JSON file holds no tensors",
          remedy: "write the numbers, or save the job as safetensors with the document under the "
            + "metadata key \"nnjob\"")
      }
      do throws(FormatError) {
        return try container.array(named: name)
      } catch {
        throw written.field.refusal(error.reason, remedy: error.remedy)
      }
    case .file(let name, let tensor):
      guard references == .allowed else {
        throw written.field.refusal(
          "a dropped job may not name another file (\(name.quoted))",
          remedy: "pack it with: nnjobs submit \(file.split(separator: "/").last ?? "NAME")")
      }
      hasReferences = true
      do throws(FormatError) {
        return try array(tensor, in: name)
      } catch {
        let reason = (error.place.map { $0 + ": " } ?? "") + error.reason
        throw written.field.refusal("\(name.quoted): \(reason)", remedy: error.remedy)
      }
    }
  }

  private mutating func array(
    _ tensor: String?, in name: String
  ) throws(FormatError) -> StoredArray {
    let path = name.hasPrefix("/") ? name : ArrayFinder.folder(of: file) + name
    switch try open(path) {
    case .npy(let npy):
      guard tensor == nil else {
        throw FormatError(
          file: path, reason: "a .npy file holds one array without a name",
          remedy: "leave \"tensor\" out")
      }
      return npy.array
    case .npz(let npz):
      guard let tensor else { throw ArrayFinder.nameMissing(path, npz.names) }
      return try npz.array(named: tensor)
    case .safetensors(let safetensors):
      guard let tensor else {
        throw ArrayFinder.nameMissing(path, safetensors.header.tensors.keys.sorted())
      }
      return try safetensors.array(named: tensor)
    }
  }

  private mutating func open(_ path: String) throws(FormatError) -> Opened {
    if let file = opened[path] { return file }
    let file: Opened
    if path.hasSuffix(".npy") {
      file = .npy(try NPYFile(examining: path))
    } else if path.hasSuffix(".npz") {
      file = .npz(try NPZFile(examining: path))
    } else if path.hasSuffix(".safetensors") {
      file = .safetensors(try SafetensorsFile(examining: path))
    } else {
      throw FormatError(
        file: path, reason: "its ending names no format for arrays",
        remedy: "allowed: .npy, .npz, .safetensors")
    }
    opened[path] = file
    return file
  }

  private static func nameMissing(_ path: String, _ names: [String]) -> FormatError {
    FormatError(
      file: path, reason: "the file holds named arrays",
      remedy: "add \"tensor\" with one of these: " + Quotation.list(names))
  }

  /// The folder of a path with its last slash; empty for a bare name.
  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}
