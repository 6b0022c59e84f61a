import Foundation
import Store
import TestSupport
import Testing

/// Something in the inbox that is no job, and the whole sentence that must say why.
struct BadFile: Sendable, CustomTestStringConvertible {
  /// What it is.
  enum Content: Sendable {
    case bytes([UInt8])
    case folder
    case fifo
    case socket
    case link(to: String)
    case hardLink
  }

  /// The bytes of its name.
  let name: [UInt8]
  /// What it is.
  let content: Content
  /// The name that it is kept under.
  let kept: String
  /// The whole reason.
  let sentence: String

  var testDescription: String { kept }

  /// A text under a usual name; `sentence` is what follows `cannot read jobs/NAME: `.
  init(_ name: String, _ text: String, _ sentence: String) {
    self.init(name, Array(text.utf8), sentence)
  }

  /// Bytes under a usual name; `sentence` is what follows `cannot read jobs/NAME: `.
  init(_ name: String, _ bytes: [UInt8], _ sentence: String) {
    self.init(
      name: Array(name.utf8), .bytes(bytes), kept: name, "cannot read jobs/\(name): \(sentence)")
  }

  /// Something, its kept name and its whole sentence.
  init(name: [UInt8], _ content: Content, kept: String, _ sentence: String) {
    self.name = name
    self.content = content
    self.kept = kept
    self.sentence = sentence
  }

  /// Prepares it and renames it into the inbox, so that it is told of at once, whatever it is.
  func drop(into queue: TestQueue) throws {
    let staged = queue.folder("staging/bad")
    var socket: Int32 = -1
    switch content {
    case .bytes(let bytes): try Data(bytes).write(to: URL(filePath: staged))
    case .folder: unsafe mkdir(staged, 0o755)
    case .fifo: unsafe mkfifo(staged, 0o644)
    case .link(let target): unsafe symlink(target, staged)
    case .hardLink:
      try Data(BadFile.good.utf8).write(to: URL(filePath: queue.folder("staging/other")))
      unsafe link(queue.folder("staging/other"), staged)
    case .socket: socket = try NotifySocket.listening(at: staged)
    }
    defer { if socket >= 0 { close(socket) } }
    let target = Array(queue.folder("jobs/").utf8) + name + [0]
    let result = unsafe target.withUnsafeBytes { bytes in
      unsafe rename(staged, bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  /// Checks, once its row is there, what was recorded, kept and said.
  func checkRefused(in queue: TestQueue) throws {
    let job = try #require(try queue.job(kept))
    #expect(job.state == .refused)
    #expect(job.reasonText == sentence)
    #expect(try queue.folder.text(of: "jobs/refused/\(kept).reason.txt") == sentence + "\n")
    switch content {
    case .bytes(let bytes):
      let path = queue.folder("jobs/refused/\(kept)")
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(bytes), "kept as it was")
    default: #expect(queue.isThere("jobs/refused/\(kept)"))
    }
  }
}

extension NotifySocket {
  /// Binds a socket at a path; the caller closes it.
  static func listening(at path: String) throws -> Int32 {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let capacity = MemoryLayout.size(ofValue: name.sun_path)
    guard socket >= 0, bytes.count < capacity else { throw POSIXError(.ENAMETOOLONG) }
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { place in
      for i in bytes.indices { unsafe place[i] = bytes[i] }
    }
    let result = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(socket, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    return socket
  }
}
