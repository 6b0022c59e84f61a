/// A `.npz` file: `.npy` files inside a zip file, stored or deflated.
package final class NPZFile: Sendable {
  private let file: SourceFile
  private let members: [String: Member]

  private struct Member: Sendable {
    let index: Int
    let name: String
    let size: Int
    let isReadable: Bool
  }

  /// The names of its arrays, in alphabetical order.
  package let names: [String]

  /// Opens a file and reads its directory.
  package convenience init(examining path: String) throws(FormatError) {
    try self.init(SourceFile(opening: path))
  }

  /// Reads the directory of a file in memory; `path` names it in messages.
  package convenience init(examining bytes: [UInt8], path: String) throws(FormatError) {
    try self.init(SourceFile(bytes: bytes, path: path))
  }

  init(_ file: SourceFile) throws(FormatError) {
    self.file = file
    // libzip takes an empty file for an archive that is going to be filled.
    if file.size == 0 {
      throw FormatError(file: file.path, reason: "the file is empty", isIncomplete: true)
    }
    let archive = try ZipArchive(file)
    var members: [String: Member] = [:]
    for index in 0..<archive.count {
      guard let (name, size, isReadable) = archive.member(index), name.hasSuffix(".npy") else {
        continue
      }
      let member = Member(index: index, name: name, size: size, isReadable: isReadable)
      guard members.updateValue(member, forKey: String(name.dropLast(4))) == nil else {
        throw FormatError(file: file.path, reason: "\(name.quoted) is in it twice")
      }
    }
    self.members = members
    names = members.keys.sorted()
  }

  /// The array of a name, its header read and checked against the size that the directory claims.
  package func array(named name: String) throws(FormatError) -> StoredArray {
    guard let member = members[name] else {
      throw FormatError(
        file: file.path, reason: "there is no array \(name.quoted)",
        remedy: names.isEmpty
          ? "it holds no .npy file" : Suggestion.remedy(for: name, among: names))
    }
    let first = try open(member).read(count: min(member.size, NPYLayout.headerLimit + 12))
    let layout: NPYLayout
    do throws(FormatError) {
      layout = try NPYLayout(reading: first, of: member.size, file: file.path)
    } catch {
      // A member that is too short stays so, however many bytes follow the zip file's directory.
      throw FormatError(
        file: file.path, place: member.name.quoted + (error.place.map { ", " + $0 } ?? ""),
        reason: error.reason, remedy: error.remedy)
    }
    return StoredArray(
      shape: layout.shape, type: layout.type, isBigEndian: layout.isBigEndian,
      isColumnMajor: layout.isColumnMajor,
      location: .member(self, name: name, offset: layout.dataOffset))
  }

  /// Opens the member of an array for reading from its beginning.
  func open(_ name: String) throws(FormatError) -> ZipMember {
    guard let member = members[name] else {
      throw FormatError(file: file.path, reason: "there is no array \(name.quoted)")
    }
    return try open(member)
  }

  private func open(_ member: Member) throws(FormatError) -> ZipMember {
    guard member.isReadable else {
      throw FormatError(
        file: file.path, place: member.name.quoted,
        reason: "it is encrypted, its claimed size is impossible, or its compression is not known",
        remedy: "numpy.savez and numpy.savez_compressed write what can be read")
    }
    return try ZipMember(
      ZipArchive(file), index: member.index, name: member.name, size: member.size)
  }
}
