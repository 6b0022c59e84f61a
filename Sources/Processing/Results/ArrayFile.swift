import Formats
import Glibc
import Jacobians

/// One array's `.npy` file, reserved on disk at its final size and open for the whole computation.
final class ArrayFile: Sendable {
  /// The file.
  let descriptor: Descriptor
  /// Where the numbers begin.
  let headerBytes: Int
  /// The size of the whole file.
  let byteCount: Int

  /// Makes the file and writes its header.
  init(path: String, array: ResultArray, dtype: ScalarType) throws(SystemError) {
    let header = NPYHeader(shape: array.shape, type: dtype).bytes
    descriptor = try Descriptor(
      opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
    headerBytes = header.count
    byteCount = header.count + array.count * dtype.byteCount
    try descriptor.reserve(bytes: byteCount)
    try descriptor.write(header, at: 0)
  }
}
