import Formats
import Glibc

/// How much written data this machine still has to put on its disks.
enum DirtyMemory {
  /// Bytes, from `Dirty` and `Writeback` in /proc/meminfo; as good as unlimited when the kernel does not tell.
  static var bytes: Int {
    guard let file = try? Descriptor(opening: "/proc/meminfo", O_RDONLY),
      let content = try? file.read(count: 1 << 12, at: 0)
    else { return Int.max }
    var kilobytes: Int?
    for line in content.split(separator: UInt8(ascii: "\n"))
    where line.starts(with: "Dirty:".utf8) || line.starts(with: "Writeback:".utf8) {
      let digits = line.filter { (48...57).contains($0) }
      kilobytes = (kilobytes ?? 0) + (Int(String(decoding: digits, as: UTF8.self)) ?? 0)
    }
    return kilobytes.map { $0 << 10 } ?? Int.max
  }
}
