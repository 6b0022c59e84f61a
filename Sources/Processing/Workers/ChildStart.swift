import Formats
import Glibc

/// Starting a child process: none of its signals is held back or ignored, whatever is in this one.
enum ChildStart {
  /// Starts `executable` with descriptors as `actions` say; in a process group of its own if `leadsGroup`.
  ///
  /// `arguments` and `settings`, its environment, end with nil.
  static func start(
    _ executable: String, _ arguments: [UnsafeMutablePointer<CChar>?],
    settings: UnsafePointer<UnsafeMutablePointer<CChar>?>,
    _ actions: inout posix_spawn_file_actions_t, leadsGroup: Bool
  ) throws(SystemError) -> pid_t {
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
      &attributes,
      Int16(
        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (leadsGroup ? POSIX_SPAWN_SETPGROUP : 0)))
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, executable, &actions, &attributes, arguments, settings)
    if code != 0 { throw SystemError(call: "start", object: executable, code: code) }
    return pid
  }
}
