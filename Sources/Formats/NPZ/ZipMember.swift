private import CZip

/// One file inside a zip file, read from its beginning to its end, inflated and its checksum compared.
@safe final class ZipMember {
  private let archive: ZipArchive
  private let stream: OpaquePointer
  private let file: String
  private let name: String
  private var rest: Int

  /// Opens member `index`, which `NPZFile` has found to have `size` bytes.
  init(
    _ archive: ZipArchive, index: Int, name: String, size: Int
  ) throws(FormatError) {
    file = archive.file
    self.name = name
    rest = size
    guard let stream = unsafe zip_fopen_index(archive.handle, zip_uint64_t(index), 0) else {
      throw FormatError(file: archive.file, place: name.quoted, reason: archive.reason)
    }
    unsafe self.stream = stream
    self.archive = archive
  }

  deinit {
    // Before the archive goes, which this object holds.
    unsafe zip_fclose(stream)
  }

  /// The next `count` bytes, no more than are left; the last ones come after the checksum was compared.
  func read(count: Int) throws(FormatError) -> [UInt8] {
    precondition(count >= 0 && count <= rest, "a member is read to its end, not beyond")
    var got: zip_int64_t = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        got = unsafe zip_fread(
          stream, buffer.baseAddress.map { unsafe $0 + filled }, zip_uint64_t(count - filled))
        if got <= 0 { return }
        filled += Int(got)
      }
    }
    if got < 0 {
      throw broken(unsafe String(cString: zip_error_strerror(zip_file_get_error(stream))))
    }
    if bytes.count < count { throw broken("it inflates to fewer bytes than it claims") }
    rest -= count
    if rest == 0 { try finish() }
    return bytes
  }

  /// Passes `count` bytes.
  func skip(_ count: Int) throws(FormatError) {
    var left = count
    while left > 0 {
      let piece = min(left, 1 << 16)
      _ = try read(count: piece)
      left -= piece
    }
  }

  /// Behind the last byte nothing may come; libzip compares the checksum when it is asked for more.
  private func finish() throws(FormatError) {
    var extra: UInt8 = 0
    let got = unsafe zip_fread(stream, &extra, 1)
    if got < 0 {
      throw broken(unsafe String(cString: zip_error_strerror(zip_file_get_error(stream))))
    }
    if got > 0 { throw broken("it inflates to more bytes than it claims") }
  }

  private func broken(_ reason: String) -> FormatError {
    FormatError(file: file, place: name.quoted, reason: reason)
  }
}
