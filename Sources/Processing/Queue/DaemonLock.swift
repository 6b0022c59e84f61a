import CLinux
import Formats
import Glibc

/// The lock of the one daemon that serves a queue; the kernel frees it however the daemon ends.
package struct DaemonLock: ~Copyable {
  private let file: Descriptor

  private init(holding file: consuming Descriptor) { self.file = file }

  /// Takes the lock of a queue, or throws `alreadyServed`.
  package static func take(_ folders: QueueFolders) throws(QueueError) -> DaemonLock {
    let file: Descriptor
    do throws(SystemError) {
      file = try Descriptor(opening: folders.lock, O_RDWR | O_CREAT, mode: 0o644)
    } catch { throw .system(error) }
    guard nnjobs_lock_file(file.number) == 0 else { throw .alreadyServed(state: folders.state) }
    return DaemonLock(holding: file)
  }
}

extension QueueFolders {
  /// Whether a daemon serves this queue now; asks without taking the lock, so it never hinders one.
  package var isDaemonRunning: Bool {
    guard let file = try? Descriptor(opening: lock, O_RDONLY) else { return false }
    return nnjobs_is_file_locked(file.number) != 0
  }
}
