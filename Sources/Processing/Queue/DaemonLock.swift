import CLinux
import Dispatch
import Formats
import Glibc

/// The lock of the one daemon that serves a queue; the kernel frees it however the daemon ends.
package struct DaemonLock: ~Copyable {
  private let file: Descriptor

  private init(holding file: consuming Descriptor) { self.file = file }

  /// Takes the lock of a queue, or throws `alreadyServed` when it is still held so many seconds later.
  ///
  /// A daemon that is killed while it starts a worker has left the lock to that process until the worker's program is
  /// loaded: between fork(2) and execve(2) the child has every descriptor.
  package static func take(
    _ folders: QueueFolders, seconds: Double = 0
  ) throws(QueueError) -> DaemonLock {
    let file: Descriptor
    do throws(SystemError) {
      file = try Descriptor(opening: folders.lock, O_RDWR | O_CREAT, mode: 0o644)
    } catch { throw .system(error) }
    let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
    while nnjobs_lock_file(file.number) != 0 {
      guard DispatchTime.now().uptimeNanoseconds < end else {
        throw .alreadyServed(state: folders.state)
      }
      usleep(10_000)
    }
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
