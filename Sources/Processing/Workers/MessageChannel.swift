import CLinux
package import Formats
import FoundationEssentials
import Glibc
import Synchronization

/// One end of a socket pair between daemon and worker: whole messages, as JSON, in order.
///
/// The kernel keeps the borders of messages (`SOCK_SEQPACKET`, unix(7)); a closed other end reads as nil.
package final class MessageChannel: Sendable {
  private static let largestMessage = 64 << 10
  private let socket: Descriptor
  private let sending = Mutex<Void>(())

  /// Takes over a connected socket.
  package init(owning socket: consuming Descriptor) { self.socket = socket }

  /// Sends one message; false when the other end is gone.
  package func send(_ message: some Encodable) -> Bool {
    guard let data = try? JSONEncoder().encode(message) else { return false }
    return sending.withLock { _ in
      unsafe data.withUnsafeBytes { bytes in
        while true {
          if unsafe Glibc.send(
            socket.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) >= 0
          {
            return true
          }
          if errno != EINTR { return false }
        }
      }
    }
  }

  /// Waits for the next message; nil when the other end is closed or sends nonsense.
  package func receive<Message: Decodable>(_ type: Message.Type) -> Message? {
    let packet = unsafe [UInt8](unsafeUninitializedCapacity: MessageChannel.largestMessage) {
      buffer, count in
      var got = -1
      repeat {
        got = unsafe recv(socket.number, buffer.baseAddress, buffer.count, 0)
      } while got < 0
        && errno == EINTR
      count = max(0, got)
    }
    guard !packet.isEmpty else { return nil }
    return try? JSONDecoder().decode(type, fromAnything: packet)
  }
}
