import Glibc

/// Tells systemd how the service stands, by the datagrams of sd_notify(3); does nothing without systemd.
struct ServiceNotification: Sendable {
  /// Seconds a word may wait for a service manager that does not listen; then it is lost, and the daemon goes on.
  private static let patience = 1

  private let address: String?
  /// Nanoseconds between two pings that the service manager expects at most; nil when it expects none.
  let watchdogInterval: UInt64?

  /// Reads NOTIFY_SOCKET and WATCHDOG_USEC.
  init(environment: [String: String]) {
    address = environment["NOTIFY_SOCKET"]
    let isOurs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
    let microseconds = isOurs ? environment["WATCHDOG_USEC"].flatMap { UInt64($0) } : nil
    watchdogInterval = microseconds.flatMap { $0 > 0 && $0 < 1 << 50 ? $0 * 1000 : nil }
  }

  /// The queue is recovered and jobs are taken.
  func ready() { send("READY=1") }
  /// Not ready yet, and alive: the service manager is to wait so many seconds more.
  func starting(_ text: String, seconds: Int) {
    send("EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000)\nSTATUS=\(text)")
  }
  /// The scheduler proved that it makes progress.
  func watchdog() { send("WATCHDOG=1") }
  /// Jobs are returned, then the service ends.
  func stopping() { send("STOPPING=1") }
  /// One line for `systemctl status`.
  func status(_ text: String) { send("STATUS=\(text)") }

  private func send(_ message: String) {
    guard let address, !address.isEmpty else { return }
    var socketAddress = sockaddr_un()
    socketAddress.sun_family = sa_family_t(AF_UNIX)
    var path = Array(address.utf8)
    // An abstract address is written with @ where its first byte is 0 (unix(7)).
    if path[0] == 0x40 { path[0] = 0 }
    let capacity = MemoryLayout.size(ofValue: socketAddress.sun_path)
    guard path.count < capacity else { return }
    unsafe withUnsafeMutableBytes(of: &socketAddress.sun_path) { bytes in
      for i in path.indices { unsafe bytes[i] = path[i] }
    }
    let length = MemoryLayout<sockaddr_un>.size - capacity + path.count
    let socket = Glibc.socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
    unsafe setsockopt(
      socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let bytes = Array(message.utf8)
    unsafe withUnsafePointer(to: &socketAddress) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        _ = unsafe bytes.withUnsafeBytes { bytes in
          unsafe sendto(
            socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), pointer,
            socklen_t(length))
        }
      }
    }
  }
}
