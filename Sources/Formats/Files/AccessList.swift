private import CACL
import Glibc

/// Who besides its owner may read a file or folder: acl(5) gives that to users and groups one by one.
///
/// The owning group and everybody else get nothing. Setting a list takes no privilege, only owning the file, so that a
/// service without any can let a user read what it made for them.
package struct AccessList: Hashable, Sendable, Codable {
  /// Users who may read.
  package let users: [UInt32]
  /// Groups whose members may read.
  package let groups: [UInt32]

  /// Lists readers.
  package init(users: [UInt32], groups: [UInt32] = []) {
    self.users = users
    self.groups = groups
  }

  /// Gives a folder this list, and lets all that is made in it from here on begin with it.
  package func apply(toFolder path: String) throws(SystemError) {
    let list = unsafe try parsed(owner: "rwx", reader: "rx")
    defer { unsafe acl_free(UnsafeMutableRawPointer(list)) }
    for kind in [UInt32(ACL_TYPE_ACCESS), UInt32(ACL_TYPE_DEFAULT)] {
      try SystemCall.retrying("set the access list of", path) {
        unsafe acl_set_file(path, kind, list)
      }
    }
  }

  /// Gives an open file this list; it stays writable for its owner.
  package func apply(to file: borrowing Descriptor) throws(SystemError) {
    let list = unsafe try parsed(owner: "rw", reader: "r")
    defer { unsafe acl_free(UnsafeMutableRawPointer(list)) }
    try SystemCall.retrying("set the access list of", file.path) {
      unsafe acl_set_fd(file.number, list)
    }
  }

  /// The first user that the list of what is at `path` names; nil where it has none.
  package static func firstUser(of path: String) -> UInt32? {
    guard let list = unsafe acl_get_file(path, UInt32(ACL_TYPE_ACCESS)) else { return nil }
    defer { unsafe acl_free(UnsafeMutableRawPointer(list)) }
    guard let text = unsafe acl_to_any_text(list, nil, 10, TEXT_NUMERIC_IDS) else { return nil }
    defer { unsafe acl_free(text) }
    for line in unsafe String(cString: text).split(separator: "\n") {
      let parts = line.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count >= 3, parts[0] == "user", let uid = UInt32(parts[1]) { return uid }
    }
    return nil
  }

  private func parsed(owner: String, reader: String) throws(SystemError) -> acl_t {
    let named = users.map { "u:\($0):\(reader)" } + groups.map { "g:\($0):\(reader)" }
    let text = (["u::\(owner)", "g::-", "o::-", "m::\(reader)"] + named).joined(separator: ",")
    guard let list = unsafe acl_from_text(text) else {
      throw SystemError(call: "make the access list", object: text, code: errno)
    }
    return unsafe list
  }
}
