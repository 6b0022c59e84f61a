package import Jacobians

/// An array that was found, with its shape and type, but not read yet.
package struct StoredArray: Sendable {
  /// Where its numbers stand.
  package enum Location: Sendable {
    /// In a JSON document, from `start` on.
    case numbers(NumberPool, start: Int)
    /// In a file, from `offset` on.
    case file(SourceFile, offset: Int)
    /// In a member of a `.npz` file, behind `offset` bytes of the member.
    case member(NPZFile, name: String, offset: Int)
  }

  /// Its shape.
  package let shape: [Int]
  /// The type of its numbers.
  package let type: StoredType
  /// Whether the highest byte of each number comes first.
  package let isBigEndian: Bool
  /// Whether the first index runs fastest, as in Fortran.
  package let isColumnMajor: Bool
  /// Where its numbers stand.
  package let location: Location
  /// How many numbers it has.
  package let count: Int

  /// Describes an array; its size was checked against what holds it.
  init(
    shape: [Int], type: StoredType, isBigEndian: Bool = false, isColumnMajor: Bool = false,
    location: Location
  ) {
    self.shape = shape
    self.type = type
    self.isBigEndian = isBigEndian
    // With at most one axis longer than one, both orders are the same.
    self.isColumnMajor = isColumnMajor && shape.filter { $0 != 1 }.count > 1
    self.location = location
    count = ArrayShape.count(shape) ?? 0
  }

  /// The bytes of its numbers where they stand.
  var byteCount: Int { count * type.byteCount }

  /// Its numbers row by row: borrowed where they stand in the right type and order, else read into one allocation.
  package func values<T: Scalar>(_ type: T.Type) throws(FormatError) -> Values<T> {
    var maps = FileMaps()
    return try values(type, maps: &maps)
  }

  /// Its numbers row by row, with the maps of files that other arrays have opened already.
  func values<T: Scalar>(_ type: T.Type, maps: inout FileMaps) throws(FormatError) -> Values<T> {
    if let borrowed: Values<T> = try borrowed(&maps) { return borrowed }
    var stream = try NumberStream<T>(self, maps: &maps)
    return try Values(count: count) { (numbers: inout MutableSpan<T>) throws(FormatError) in
      try stream.read(into: &numbers, count: numbers.count)
    }
  }

  private func borrowed<T: Scalar>(_ maps: inout FileMaps) throws(FormatError) -> Values<T>? {
    switch location {
    case .numbers(let pool, let start):
      return pool.values(start..<(start + count)) as? Values<T>
    case .file(let file, let offset):
      guard type.rawValue == T.type.rawValue, !isBigEndian, !isColumnMajor else { return nil }
      return try maps.map(file).values(T.self, at: offset, count: count)
    case .member: return nil
    }
  }
}

/// The files mapped so far, each once.
struct FileMaps {
  private var maps: [ObjectIdentifier: MappedFile] = [:]

  /// The map of a file.
  mutating func map(_ file: SourceFile) throws(FormatError) -> MappedFile {
    if let map = maps[ObjectIdentifier(file)] { return map }
    let map = try file.map()
    maps[ObjectIdentifier(file)] = map
    return map
  }
}
