import Foundation

/// What a service manager listens on: datagrams of sd_notify(3) at an abstract address.
final class NotifySocket {
  /// For NOTIFY_SOCKET.
  let address = "@nnjobs-test-" + UUID().uuidString
  private let socket: Int32
  private var heard: [String] = []

  /// Opens the socket.
  init() throws {
    socket = Glibc.socket(
      AF_UNIX,
      Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    unsafe try address(socket, Glibc.bind)
  }

  /// Calls bind(2) or connect(2) with the address.
  private func address(
    _ socket: Int32, _ call: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32
  ) throws {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let path = [0] + Array(self.address.utf8.dropFirst())
    let capacity = MemoryLayout.size(ofValue: name.sun_path)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { bytes in
      for i in path.indices { unsafe bytes[i] = path[i] }
    }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size - capacity + path.count)
    let result = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe call(socket, pointer, length)
      }
    }
    guard socket >= 0, result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  deinit { close(socket) }

  /// Sends itself messages until no more are taken: whoever now speaks to it has to wait.
  func fill() throws {
    let speaker = Glibc.socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    defer { close(speaker) }
    unsafe try address(speaker, Glibc.connect)
    while unsafe send(speaker, "full", 4, 0) == 4 {}
  }

  /// Everything that was said until now, in order.
  var messages: [String] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return heard }
      heard.append(String(decoding: buffer.prefix(count), as: UTF8.self))
    }
  }
}
