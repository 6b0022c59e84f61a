import Glibc

extension Descriptor {
  /// The size in bytes, by fstat(2).
  package func size() throws(SystemError) -> Int { Int(try status().st_size) }

  /// pread(2) until `count` bytes or the end of the file; fewer bytes mean that the file ended.
  package func read(count: Int, at offset: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        do throws(SystemError) {
          let got = try SystemCall.retrying("read", path) {
            unsafe pread(
              number, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, offset + filled
            )
          }
          if got == 0 { return }
          filled += got
        } catch {
          failure = error
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// pwrite(2) until all `bytes` are written at `offset`.
  package func write(_ bytes: RawSpan, at offset: Int) throws(SystemError) {
    var done = 0
    while done < bytes.byteCount {
      let written = try SystemCall.retrying("write", path) {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe pwrite(
            number, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, offset + done)
        }
      }
      done += written
    }
  }

  /// pwrite(2) until the whole array is written at `offset`.
  package func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    // Bytes as bytes: every bit pattern is a number, and none is missing.
    unsafe try write(bytes.span.bytes, at: offset)
  }

  /// posix_fallocate(3): reserves the whole file on disk now, so that a full disk is found before computing.
  package func reserve(bytes count: Int) throws(SystemError) {
    guard count > 0 else { return }
    var code = posix_fallocate(number, 0, count)
    while code == EINTR { code = posix_fallocate(number, 0, count) }
    if code != 0 { throw SystemError(call: "reserve \(count) bytes for", object: path, code: code) }
  }
}
