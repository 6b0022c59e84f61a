import Formats
import Glibc

/// The two streams: data on standard output, checked; everything else on standard error.
enum Output {
  /// Writes data; throws when it cannot be written, so that nobody takes half for the whole.
  static func standardOutput(_ text: String) throws(SystemError) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      done += try SystemCall.retrying("write to", "standard output") {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe write(1, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
        }
      }
    }
  }

  /// Writes a message; when even that fails, there is nobody to tell.
  static func standardError(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe bytes.withUnsafeBytes { buffer in
      unsafe _ = write(2, buffer.baseAddress, buffer.count)
    }
  }
}
