import CLinux
package import Formats
import Glibc

/// Publishing: a complete partial folder gets its name, at once and for good.
package enum Publication {
  /// Renames `partial` to `results/<name>`, or `<name>-2`, … when taken, and fsyncs `results`.
  ///
  /// Never replaces a folder; returns the name it found free. The partial folder's content is fsynced already.
  package static func publish(
    _ partial: String, as name: String, in results: String
  ) throws(SystemError) -> String {
    let free = try rename(partial, to: name, in: results)
    try Descriptor.synchronizeFolder(results)
    return free
  }

  /// Renames only: until `results` is fsynced, a power cut may take the name back.
  static func rename(
    _ partial: String, to name: String, in results: String
  ) throws(SystemError) -> String {
    var free = name
    var number = 2
    while unsafe nnjobs_rename_noreplace(partial, "\(results)/\(free)") != 0 {
      if errno == EINTR { continue }
      guard errno == EEXIST || errno == ENOTEMPTY else {
        throw SystemError(call: "publish", object: "\(results)/\(free)", code: errno)
      }
      free = "\(name)-\(number)"
      number += 1
    }
    return free
  }
}
