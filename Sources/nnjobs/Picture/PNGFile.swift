private import CPNG
import Formats
import Glibc

/// A picture as a PNG file, encoded by libpng.
enum PNGFile {
  /// The most pixels a file may have: libpng takes the picture whole, three bytes each.
  static let mostPixels = 1 << 26

  /// Encodes pixels; libpng's simplified interface reports errors by return, so nothing jumps over Swift frames.
  static func encode(_ pixels: Pixels) throws(PictureError) -> [UInt8] {
    // The first call says how many bytes are needed, the second writes them.
    var nothing: [UInt8] = []
    var encoded = [UInt8](repeating: 0, count: try encode(pixels, into: &nothing))
    let size = try encode(pixels, into: &encoded)
    return Array(encoded.prefix(size))
  }

  /// Writes pixels to a file, complete or not at all: beside it first, then renamed over it.
  static func write(_ pixels: Pixels, to path: String) throws {
    let encoded = try encode(pixels)
    let beside = path + ".tmp-\(getpid())"
    do {
      let file = try Descriptor(opening: beside, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
      try unsafe file.write(encoded.span.bytes, at: 0)
      try file.close()
      try SystemCall.retrying("rename", beside) { unsafe rename(beside, path) }
    } catch {
      unsafe _ = unlink(beside)
      throw error
    }
  }

  /// The size of the encoded file, which is written when `target` is that large.
  private static func encode(
    _ pixels: Pixels, into target: inout [UInt8]
  ) throws(PictureError) -> Int {
    var image = unsafe png_image()
    unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
    unsafe image.width = png_uint_32(pixels.columns)
    unsafe image.height = png_uint_32(pixels.rows)
    unsafe image.format = png_uint_32(PNG_FORMAT_RGB)
    defer { unsafe png_image_free(&image) }
    var size = png_alloc_size_t(target.count)
    let succeeded = unsafe pixels.bytes.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { buffer in
        // An empty array's address may be anything; libpng asks for none when it shall only measure.
        let memory = unsafe buffer.isEmpty ? nil : buffer.baseAddress
        return unsafe png_image_write_to_memory(
          &image, memory, &size, 0, source.baseAddress, 0, nil)
      }
    }
    guard succeeded != 0 else {
      let words = unsafe withUnsafeBytes(of: image.message) { buffer in
        unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw PictureError("libpng cannot encode the picture: \(words)")
    }
    return Int(size)
  }
}
