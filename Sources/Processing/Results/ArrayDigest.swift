private import CXXHash
import Dispatch
package import Formats
import Synchronization

/// The digest of an array's file: XXH3-128 at three levels, so that parts of the file may come in any order.
///
/// The file is cut into windows of 8 MiB and each window into pieces of 16 KiB, the last ones shorter. A window's
/// digest is that of its pieces' digests one after the other, the file's that of its windows' digests; a digest among
/// others is its 16 bytes in canonical (big-endian) order. docs/results.md has it in Python.
package struct ArrayDigest: Hashable, Sendable {
  /// Bytes of a piece: few enough that most are written whole, many enough to be digested at full speed.
  static let pieceBytes = 16 << 10
  /// Bytes of a window.
  static let windowBytes = 8 << 20

  private let high: UInt64
  private let low: UInt64

  /// XXH3-128 of some bytes.
  init(of bytes: RawSpan) {
    let hash = unsafe bytes.withUnsafeBytes {
      unsafe nnjobs_xxh3_128($0.baseAddress, $0.count)
    }
    high = hash.high64
    low = hash.low64
  }

  /// XXH3-128 of some bytes.
  init(of bytes: [UInt8]) {
    // Bytes as bytes: every bit pattern is a number, and none is missing.
    self.init(of: unsafe bytes.span.bytes)
  }

  /// XXH3-128 of the bytes that `parts` hands over, one after the other.
  init(ofParts parts: ((RawSpan) throws -> Void) throws -> Void) rethrows {
    guard let state = unsafe XXH3_createState() else {
      preconditionFailure("there is no memory for a few hundred bytes")
    }
    defer { unsafe XXH3_freeState(state) }
    unsafe XXH3_128bits_reset(state)
    try parts { part in
      unsafe part.withUnsafeBytes { unsafe nnjobs_xxh3_128_add(state, $0.baseAddress, $0.count) }
    }
    let hash = unsafe XXH3_128bits_digest(state)
    high = hash.high64
    low = hash.low64
  }

  /// The digest of digests one after the other.
  init(of digests: [ArrayDigest]) {
    self.init(of: digests.flatMap(\.canonical))
  }

  /// The digest of a window, or of what there is of it.
  init(ofWindow bytes: [UInt8]) {
    let whole = unsafe bytes.span.bytes
    self.init(
      of: stride(from: 0, to: bytes.count, by: ArrayDigest.pieceBytes).map {
        ArrayDigest(of: whole.extracting($0..<min($0 + ArrayDigest.pieceBytes, bytes.count)))
      })
  }

  /// Reads a whole file, several windows at once.
  package init(ofFile file: borrowing Descriptor) throws(SystemError) {
    let size = try file.size()
    let count = max(0, size - 1) / ArrayDigest.windowBytes + (size > 0 ? 1 : 0)
    self.init(of: try ArrayDigest.windows(0..<count, of: file))
  }

  /// Digests of some of a file's windows, several read at once.
  static func windows(
    _ windows: Range<Int>, of file: borrowing Descriptor
  ) throws(SystemError) -> [ArrayDigest] {
    let none = ArrayDigest(of: [UInt8]())
    let found = Mutex(
      (digests: [ArrayDigest](repeating: none, count: windows.count), failure: SystemError?.none))
    DispatchQueue.concurrentPerform(iterations: windows.count) { number in
      guard found.withLock({ $0.failure == nil }) else { return }
      do throws(SystemError) {
        let bytes = try file.read(
          count: windowBytes, at: (windows.lowerBound + number) * windowBytes)
        let digest = ArrayDigest(ofWindow: bytes)
        found.withLock { $0.digests[number] = digest }
      } catch {
        found.withLock { $0.failure = error }
      }
    }
    let (digests, failure) = found.withLock { $0 }
    if let failure { throw failure }
    return digests
  }

  /// The 16 bytes, the highest first.
  private var canonical: [UInt8] {
    [high, low].flatMap { word in
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
    }
  }

  /// As the manifest has it: `xxh3-128:` and 32 hexadecimal digits.
  package var text: String {
    let digits = Array("0123456789abcdef")
    return ArrayDigest.prefix
      + String(canonical.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  private static let prefix = "xxh3-128:"
}

extension ArrayDigest: Codable {
  /// Reads `text`.
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    let digits = text.dropFirst(ArrayDigest.prefix.count)
    guard text.hasPrefix(ArrayDigest.prefix), digits.count == 32,
      let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.suffix(16), radix: 16)
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(text) is no digest"))
    }
    self.high = high
    self.low = low
  }

  /// Writes `text`.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
