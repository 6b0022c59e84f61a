package import Formats
import Glibc

/// Making, listing and removing folders and small files, by system calls whose failures keep their errno.
package enum FolderTree {
  /// mkdir(2); a folder that is there already is fine.
  package static func make(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try SystemCall.retrying("make folder", path) { unsafe mkdir(path, 0o755) }
    } catch  where error.code == EEXIST {}
  }

  /// Writes a new small file and fsyncs it.
  package static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
    let file = try Descriptor(
      opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
    try file.write(bytes, at: 0)
    try file.synchronize()
    try file.close()
  }

  /// The names in a folder, without `.` and `..`, as raw bytes: a name need not be UTF-8.
  package static func names(in path: String) throws(SystemError) -> [[UInt8]] {
    guard let folder = unsafe opendir(path) else {
      throw SystemError(call: "list", object: path, code: errno)
    }
    defer { unsafe closedir(folder) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else {
        if errno != 0 { throw SystemError(call: "list", object: path, code: errno) }
        return names
      }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe Array(bytes.prefix { $0 != 0 })
      }
      if name != [46] && name != [46, 46] { names.append(name) }
    }
  }

  /// Whether there is anything at `path`, a link to nothing included.
  package static func isThere(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  /// Who owns what is at `path`, a link itself and not its target; root when nothing is there.
  package static func owner(of path: String) -> UInt32 {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_uid : 0
  }

  /// Removes a file or a whole folder, following no symbolic link; what cannot be removed stays.
  package static func remove(_ path: String) {
    if unsafe unlink(path) == 0 || errno == ENOENT { return }
    for name in (try? names(in: path)) ?? [] {
      remove(path + "/" + String(decoding: name, as: UTF8.self))
    }
    unsafe rmdir(path)
  }
}
