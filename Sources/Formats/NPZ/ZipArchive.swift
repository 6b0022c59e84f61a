private import CZip
import Glibc

/// An open zip file; libzip reads its directory and inflates its members.
@safe final class ZipArchive {
  /// libzip's own.
  let handle: OpaquePointer
  /// The file for messages.
  let file: String
  private let size: Int

  /// Opens a file or bytes as a zip file.
  init(_ source: SourceFile) throws(FormatError) {
    file = source.path
    size = source.size
    let path = source.path
    unsafe handle = try source.withContent { (descriptor) throws(FormatError) in
      // A path to the open file gives libzip a position of its own, whatever happened to the name.
      var code: Int32 = 0
      let link = "/proc/self/fd/\(descriptor.number)"
      guard let handle = unsafe zip_open(link, ZIP_RDONLY, &code) else {
        var error = unsafe zip_error_t()
        unsafe zip_error_init_with_code(&error, code)
        defer { unsafe zip_error_fini(&error) }
        throw unsafe ZipArchive.refusal(path, &error)
      }
      return unsafe handle
    } _: { (bytes) throws(FormatError) in
      // libzip frees the copy together with the source.
      guard let copy = unsafe malloc(max(bytes.count, 1)) else {
        throw FormatError(file: path, reason: "no memory for its \(bytes.count) bytes")
      }
      unsafe copy.copyMemory(from: bytes, byteCount: bytes.count)
      var error = unsafe zip_error_t()
      unsafe zip_error_init(&error)
      defer { unsafe zip_error_fini(&error) }
      guard
        let buffer = unsafe zip_source_buffer_create(copy, zip_uint64_t(bytes.count), 1, &error)
      else {
        unsafe free(copy)
        throw unsafe ZipArchive.refusal(path, &error)
      }
      guard let handle = unsafe zip_open_from_source(buffer, ZIP_RDONLY, &error) else {
        unsafe zip_source_free(buffer)
        throw unsafe ZipArchive.refusal(path, &error)
      }
      return unsafe handle
    }
  }

  deinit { unsafe zip_discard(handle) }

  /// How many members there are.
  var count: Int { Int(unsafe zip_get_num_entries(handle, 0)) }

  /// What the directory says of a member, or nil where it cannot be read.
  func member(_ index: Int) -> (name: String, size: Int, isReadable: Bool)? {
    var status = unsafe zip_stat_t()
    unsafe zip_stat_init(&status)
    guard unsafe zip_stat_index(handle, zip_uint64_t(index), 0, &status) == 0,
      unsafe status.valid & zip_uint64_t(ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE)
        == zip_uint64_t(ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE),
      let name = unsafe String(validatingCString: status.name),
      let size = unsafe Int(exactly: status.size),
      let compressed = unsafe Int(exactly: status.comp_size)
    else { return nil }
    let isPlain = unsafe status.encryption_method == ZIP_EM_NONE && compressed <= self.size
    // A claim beyond the file's own size, or beyond the 1,032 bytes that deflate makes of one, is a lie, found
    // before memory is asked for.
    let (most, overflow) = compressed.multipliedReportingOverflow(by: 1032)
    let isReadable =
      switch unsafe Int32(status.comp_method) {
      case ZIP_CM_STORE: isPlain && size == compressed
      case ZIP_CM_DEFLATE: isPlain && (overflow || size <= most)
      default: false
      }
    return (name, size, isReadable)
  }

  /// libzip's words for what went wrong last.
  var reason: String {
    guard let words = unsafe zip_strerror(handle) else { return "it cannot be opened" }
    return unsafe String(cString: words)
  }

  private static func refusal(
    _ file: String, _ error: UnsafeMutablePointer<zip_error_t>
  ) -> FormatError {
    let words = unsafe zip_error_strerror(error).map { unsafe String(cString: $0) } ?? "no zip file"
    return unsafe FormatError(
      file: file, reason: words,
      remedy: zip_error_code_zip(error) == ZIP_ER_NOZIP ? "numpy.savez writes an .npz file" : nil)
  }
}
