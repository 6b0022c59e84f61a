import Formats
import Glibc

/// The most memory this process held at once since the last reset.
package enum PeakMemory {
  /// Starts a new measurement; see `clear_refs` in proc(5).
  static func reset() {
    if let file = try? Descriptor(opening: "/proc/self/clear_refs", O_WRONLY) {
      try? file.write(Array("5".utf8), at: 0)
    }
  }

  /// Peak resident bytes (`VmHWM` in proc(5)), or 0 when the kernel does not tell.
  package static var bytes: Int {
    guard let file = try? Descriptor(opening: "/proc/self/status", O_RDONLY),
      let content = try? file.read(count: 1 << 13, at: 0),
      let line = String(decoding: content, as: UTF8.self).split(separator: "\n")
        .first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.dropFirst(6).drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber })
    else { return 0 }
    return kilobytes << 10
  }
}
