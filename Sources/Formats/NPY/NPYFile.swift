package import Jacobians

/// A `.npy` file whose header was read and checked against its size; its numbers are read or mapped when asked for.
package struct NPYFile: Sendable {
  /// Its array.
  package let array: StoredArray

  /// Opens a file and reads its header.
  package init(examining path: String) throws(FormatError) {
    try self.init(SourceFile(opening: path))
  }

  /// Reads the header of a file in memory; `path` names it in messages.
  package init(examining bytes: [UInt8], path: String) throws(FormatError) {
    try self.init(SourceFile(bytes: bytes, path: path))
  }

  init(_ file: SourceFile) throws(FormatError) {
    let first = try file.read(count: min(file.size, NPYLayout.headerLimit + 12), at: 0)
    let layout = try NPYLayout(reading: first, of: file.size, file: file.path)
    array = StoredArray(
      shape: layout.shape, type: layout.type, isBigEndian: layout.isBigEndian,
      isColumnMajor: layout.isColumnMajor, location: .file(file, offset: layout.dataOffset))
  }

  /// Its shape.
  package var shape: [Int] { array.shape }

  /// Its numbers row by row, mapped where the file's layout allows it.
  package func values<T: Scalar>(_ type: T.Type) throws(FormatError) -> Values<T> {
    try array.values(type)
  }

  /// Its numbers row by row, copied.
  package func numbers() throws(FormatError) -> [Double] {
    let values = try values(Double.self)
    return values.span.indices.map { values.span[$0] }
  }
}
