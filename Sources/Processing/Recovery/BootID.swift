import Formats
import Glibc

/// What tells one start of the machine from the next.
package enum BootID {
  /// The kernel's own, or `unknown` where it does not tell.
  package static var current: String {
    guard let file = try? Descriptor(opening: "/proc/sys/kernel/random/boot_id", O_RDONLY),
      let bytes = try? file.read(count: 36, at: 0)
    else { return "unknown" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
