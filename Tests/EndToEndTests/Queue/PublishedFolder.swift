import Formats
import Foundation

/// A result folder.
struct PublishedFolder {
  /// Where it is.
  let path: String
  /// Every file in it, `parameter-jacobian/W1.npy` and so on, sorted.
  let files: [String]

  /// Lists a folder and its subfolders.
  init(_ path: String) throws {
    self.path = path
    files = try FileManager.default.subpathsOfDirectory(atPath: path).filter {
      var isFolder: ObjCBool = false
      return unsafe FileManager.default.fileExists(atPath: path + "/" + $0, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }

  /// The arrays, `parameter-jacobian/W1` and so on, sorted.
  var arrays: [String] { files.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) } }

  /// An array's file as it stands on disk.
  func bytes(of array: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(path)/\(array).npy"))
  }

  /// An array, its header read.
  func array(_ name: String) throws -> NPYFile { try NPYFile(examining: "\(path)/\(name).npy") }

  /// Every array's file by its path.
  func contents() throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for array in arrays { contents[array] = try bytes(of: array) }
    return contents
  }

  /// `manifest.json`.
  func manifest() throws -> [String: Any] {
    let data = try Data(contentsOf: URL(filePath: path + "/manifest.json"))
    return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
  }
}
