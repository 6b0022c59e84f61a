import Formats
import Glibc

/// Files in which Linux tells of itself, as /proc/cpuinfo.
package enum KernelFile {
  /// The first 64 KiB, which is all of most; empty where there is no such file.
  package static func text(of path: String) -> String {
    guard let file = try? Descriptor(opening: path, O_RDONLY),
      let bytes = try? file.read(count: 1 << 16, at: 0)
    else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
