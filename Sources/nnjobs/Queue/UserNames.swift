import Glibc

/// Names of users, each looked up once.
struct UserNames {
  private var names: [UInt32: String] = [:]

  /// The user's name, or their number where they have none.
  mutating func name(of uid: UInt32) -> String {
    if let name = names[uid] { return name }
    let name = Self.lookUp(uid) ?? String(uid)
    names[uid] = name
    return name
  }

  /// The number of the user with that name, or the number itself.
  static func uid(of name: String) -> UInt32? {
    if let number = UInt32(name) { return number }
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16384)
    let code = unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
    guard code == 0, let found = unsafe found else { return nil }
    return unsafe found.pointee.pw_uid
  }

  private static func lookUp(_ uid: UInt32) -> String? {
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16384)
    let code = unsafe getpwuid_r(uid, &entry, &buffer, buffer.count, &found)
    // The name points into the buffer.
    guard code == 0, let found = unsafe found, let name = unsafe found.pointee.pw_name else {
      return nil
    }
    return unsafe String(cString: name)
  }
}
