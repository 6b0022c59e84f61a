import Glibc
import Processing

/// What is mounted where, by /proc/self/mountinfo (proc(5)).
struct MountTable: Sendable {
  /// One mount.
  struct Mount: Hashable, Sendable {
    /// Its number: renames work within one mount only.
    let id: Int
    /// Where it is.
    let point: String
    /// The file system's type, as `ext4`.
    let type: String
  }

  /// All mounts; of two at one point the later hides the earlier.
  let mounts: [Mount]

  /// As this process sees them.
  static var ofThisProcess: MountTable {
    MountTable(mountinfo: KernelFile.text(of: "/proc/self/mountinfo"))
  }

  /// Reads the text of mountinfo; a line that is not understood is left out.
  init(mountinfo: String) {
    mounts = mountinfo.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 6, let id = Int(fields[0]),
        let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
      else { return nil }
      return Mount(
        id: id, point: MountTable.unescaped(fields[4]), type: String(fields[dash + 1]))
    }
  }

  /// The mount that holds a path, links followed; nil where nothing is there or mounts are not told.
  func mount(of path: String) -> Mount? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return mount(ofReal: unsafe String(cString: real))
  }

  /// … of a path without links.
  func mount(ofReal path: String) -> Mount? {
    var best: Mount?
    for mount in mounts {
      let isAbove =
        mount.point == "/" || path == mount.point || path.hasPrefix(mount.point + "/")
      if isAbove, mount.point.utf8.count >= best?.point.utf8.count ?? 0 { best = mount }
    }
    return best
  }

  /// Blanks and the like stand as `\040`, in octal.
  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let code = UInt8(Substring(rest.prefix(3)), radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
