import Glibc

/// A system call that failed: which, on what, and its errno, so that `man` finds the reason.
package struct SystemError: Error, Hashable, Sendable {
  /// The call's name, as `rename`.
  package let call: String
  /// The path, or what else the call was about.
  package let object: String
  /// errno.
  package let code: Int32

  /// Describes a failed call.
  package init(call: String, object: String, code: Int32) {
    self.call = call
    self.object = object
    self.code = code
  }

  /// `cannot rename jobs/a.json: Permission denied`.
  package var sentence: String { "cannot \(call) \(object): \(reason)" }

  /// The kernel's words for the code.
  package var reason: String {
    guard let words = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: words)
  }
}

/// Every system call goes through here: EINTR is repeated, errno is read at once.
package enum SystemCall {
  /// Calls `body` until it is not interrupted; throws when it returns −1.
  @discardableResult
  package static func retrying<Result: SignedInteger>(
    _ call: String, _ object: @autoclosure () -> String, _ body: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = body()
      if result != -1 { return result }
      let code = errno
      if code != EINTR { throw SystemError(call: call, object: object(), code: code) }
    }
  }
}

extension SystemError {
  /// Whether the reason is a full disk or quota, which may pass.
  package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

  /// Whether the machine had too little of something else that comes back: processes, descriptors, memory.
  package var isShortage: Bool { [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOBUFS].contains(code) }

  /// Whether bytes or names that were written before may be lost: fsync(2), syncfs(2) and close(2) say so once, never again.
  package var losesWrites: Bool { ["fsync", "syncfs", "close"].contains(call) }

  /// Whether the same call may succeed a little later, without anything being put right here.
  package var mayPass: Bool { isDiskFull || isShortage }
}
