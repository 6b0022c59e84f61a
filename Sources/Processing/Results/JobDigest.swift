import CNettle
package import Formats

/// The SHA-256 of a job file, which its manifest records.
package enum JobDigest {
  /// Reads the whole file in pieces of 1 MiB and gives the digest as hexadecimal text.
  package static func sha256(of file: borrowing Descriptor) throws(SystemError) -> String {
    var state = sha256_ctx()
    unsafe nettle_sha256_init(&state)
    var offset = 0
    while true {
      let piece = try file.read(count: 1 << 20, at: offset)
      unsafe piece.withUnsafeBufferPointer { bytes in
        unsafe nettle_sha256_update(&state, bytes.count, bytes.baseAddress)
      }
      offset += piece.count
      if piece.count < 1 << 20 { break }
    }
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
    unsafe digest.withUnsafeMutableBufferPointer { bytes in
      unsafe nettle_sha256_digest(&state, bytes.count, bytes.baseAddress)
    }
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
