import Formats
import Glibc
import Jacobians

/// What a manifest says of an array's file, and whether the file is still so.
package struct ArrayCheck: Hashable, Sendable {
  private let shape: [Int]
  private let dtype: String
  private let bytes: Int
  private let digest: String?

  /// Takes what the manifest says: shape, number type, bytes of its numbers, digest as `ArrayDigest.text`.
  package init(shape: [Int], dtype: String, bytes: Int, digest: String?) {
    self.shape = shape
    self.dtype = dtype
    self.bytes = bytes
    self.digest = digest
  }

  /// What is wrong with the file at `path`: its size, its header or its bytes; nil if nothing is.
  package func problem(of path: String) -> String? {
    guard let header else { return "its manifest describes no array" }
    do throws(SystemError) {
      let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      let size = try file.size()
      guard size == header.count + bytes else {
        return "it has \(size) bytes instead of \(header.count + bytes)"
      }
      guard try file.read(count: header.count, at: 0) == header else {
        return "its header is not that of \(dtype) in shape \(shape)"
      }
      guard let digest else { return "its manifest has no digest" }
      let found = try ArrayDigest(ofFile: file).text
      return found == digest ? nil : "its digest is \(found) instead of \(digest)"
    } catch {
      return error.sentence
    }
  }

  /// The header of such an array; nil if a manifest says what cannot be.
  private var header: [UInt8]? {
    guard let type = ScalarType(rawValue: dtype), shape.count <= 32,
      shape.allSatisfy({ $0 >= 0 })
    else { return nil }
    var count = type.byteCount
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      count = product
    }
    guard count == bytes, count < Int.max - (1 << 16) else { return nil }
    return NPYHeader(shape: shape, type: type).bytes
  }
}
