import CLinux
import Formats
import Glibc

/// The kernel's hints about the inbox, by inotify(7): which names may be new files. The truth is a scan.
struct InboxWatch: ~Copyable {
  /// What the kernel told since it was last asked.
  struct News {
    /// Names that were closed after writing or moved in, in order.
    var names: [[UInt8]] = []
    /// Whether anything may have been missed: the queue ran over, or the folder went.
    var mustScan = false
  }

  private static let events = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

  private let folder: String
  private let inotify: Descriptor
  private var watch: Int32

  /// Watches a folder; throws where the kernel has no inotify instance left.
  init(_ folder: String) throws(SystemError) {
    let number = try SystemCall.retrying("watch", folder) {
      inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    }
    let inotify = Descriptor(owning: number, path: folder)
    watch = try SystemCall.retrying("watch", folder) {
      unsafe inotify_add_watch(number, folder, InboxWatch.events)
    }
    self.inotify = inotify
    self.folder = folder
  }

  /// What a Dispatch source reads from.
  var descriptor: Int32 { inotify.number }

  /// Everything the kernel has to tell now; never waits.
  mutating func news() -> News {
    var news = News()
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe read(inotify.number, bytes.baseAddress, bytes.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      unsafe collect(buffer.span.extracting(0..<count).bytes, into: &news)
    }
    return news
  }

  private mutating func collect(_ bytes: RawSpan, into news: inout News) {
    // struct inotify_event: wd, mask, cookie, len, four 32-bit numbers, then the name with its zeros.
    let headerBytes = 16
    var offset = 0
    while offset + headerBytes <= bytes.byteCount {
      let mask = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
      let length = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 12, as: UInt32.self)
      let name = offset + headerBytes..<offset + headerBytes + Int(length)
      offset = name.upperBound
      if mask & UInt32(IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 {
        news.mustScan = true
        if mask & UInt32(IN_Q_OVERFLOW) == 0 { watch = -1 }
        continue
      }
      let text = bytes.extracting(name)
      let characters = text.byteOffsets.map {
        unsafe text.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
      }
      news.names.append(Array(characters.prefix { $0 != 0 }))
    }
  }

  /// Watches the folder again after it was removed and made anew; false while it is not there.
  mutating func renew() -> Bool {
    if watch >= 0 { return true }
    watch = unsafe inotify_add_watch(inotify.number, folder, InboxWatch.events)
    return watch >= 0
  }
}
