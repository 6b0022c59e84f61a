import Formats
import Glibc
import Jacobians

/// One array's `.npy` file, reserved on disk at its final size and open for the whole computation.
final class ArrayFile: Sendable {
  /// The file.
  let descriptor: Descriptor
  /// What stands before the numbers.
  let header: [UInt8]
  /// The size of the whole file.
  let byteCount: Int
  private let bytesPerNumber: Int

  /// Where the numbers begin.
  var headerBytes: Int { header.count }

  /// Makes the file at its final size; its header is still to be written.
  init(path: String, array: ResultArray, dtype: ScalarType) throws(SystemError) {
    header = NPYHeader(shape: array.shape, type: dtype).bytes
    bytesPerNumber = dtype.byteCount
    descriptor = try Descriptor(
      opening: path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
    byteCount = header.count + array.count * dtype.byteCount
    try descriptor.reserve(bytes: byteCount)
  }

  /// Opens the file that an earlier attempt made; one of another size, or with another header, is an error.
  init(adopting path: String, array: ResultArray, dtype: ScalarType) throws(JobError) {
    header = NPYHeader(shape: array.shape, type: dtype).bytes
    bytesPerNumber = dtype.byteCount
    byteCount = header.count + array.count * dtype.byteCount
    do throws(SystemError) {
      descriptor = try Descriptor(opening: path, O_RDWR | O_NOFOLLOW)
      if try descriptor.size() == byteCount,
        try descriptor.read(count: header.count, at: 0) == header
      {
        return
      }
    } catch { throw JobError(error) }
    throw JobError(.inputOutput, "cannot go on with \(path): it is not what the plan makes")
  }

  /// Where some numbers are; the header belongs to those that begin with the first.
  func bytes(ofNumbers numbers: Range<Int>) -> Range<Int> {
    let start = numbers.lowerBound == 0 ? 0 : headerBytes + numbers.lowerBound * bytesPerNumber
    return start..<headerBytes + numbers.upperBound * bytesPerNumber
  }

  /// The digests of the pieces that lie wholly in bytes which belong at `start`.
  func digests(of bytes: RawSpan, at start: Int) -> [ArrayDigest] {
    DigestTree.wholePieces(in: start..<start + bytes.byteCount, size: byteCount).map { number in
      let piece = DigestTree.range(ofPiece: number, size: byteCount)
      return ArrayDigest(
        of: bytes.extracting(piece.lowerBound - start..<piece.upperBound - start))
    }
  }

  /// The digest of a piece, read back.
  func digest(of piece: Range<Int>) throws(SystemError) -> ArrayDigest {
    let bytes = try descriptor.read(count: piece.count, at: piece.lowerBound)
    return ArrayDigest(of: bytes)
  }
}
