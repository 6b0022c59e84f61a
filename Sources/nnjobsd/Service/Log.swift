import Glibc

/// One line for each event on standard error, which systemd keeps in its journal.
enum Log {
  /// Writes a line at once, whole; what a line cannot hold is escaped.
  static func line(_ text: String) {
    let bytes = Array((text.replacingControlCharacters + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
  }
}

extension String {
  fileprivate var replacingControlCharacters: String {
    guard unicodeScalars.contains(where: { $0.value < 0x20 }) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 ? "?" : $0 }))
  }
}
