private import CPNG
import Foundation
import Testing

@testable import nnjobs

@Suite struct `A picture` {
  @Test func `is white at zero, blue below and red above`() {
    let scale = ColourScale(limit: 2)
    #expect(scale[0] == Colour(247, 247, 247))
    #expect(scale[-2] == Colour(5, 48, 97))
    #expect(scale[2] == Colour(103, 0, 31))
    #expect(scale[0.4] == Colour(253, 219, 199))
    #expect(scale[0.2] == Colour(250, 233, 223))
    #expect(scale[-.infinity] == scale[-2])
    #expect(scale[.infinity] == scale[2])
    #expect(scale[.nan] == ColourScale.notANumber)
    #expect(ColourScale(limit: 0)[0] == Colour(247, 247, 247))
  }

  @Test func `takes its limit from finite numbers`() {
    let picture = Picture(rows: 1, columns: 4, numbers: [-3, .infinity, .nan, 2])
    #expect(picture.limit == 3)
  }

  @Test func `that is too wide keeps the strongest number of each place`() {
    let picture = Picture(rows: 2, columns: 5, numbers: [1, -4, 2, 3, 0.5, 0, 0, .nan, 1, -1])
    let reduced = picture.reduced(rows: 10, columns: 3)
    #expect(reduced.rows == 1)
    #expect(reduced.columns == 3)
    #expect(reduced[0, 0] == -4)
    #expect(reduced[0, 1].isNaN)
    #expect(reduced[0, 2] == -1)
  }

  @Test func `comes back from its PNG pixel by pixel`() throws {
    let picture = Picture(rows: 2, columns: 3, numbers: [-1, -0.5, 0, 0.25, 1, .nan])
    let pixels = picture.pixels(scale: 4)
    let encoded = try PNGFile.encode(pixels)

    var image = unsafe png_image()
    unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { unsafe png_image_free(&image) }
    let opened = unsafe encoded.withUnsafeBytes {
      unsafe png_image_begin_read_from_memory(&image, $0.baseAddress, $0.count)
    }
    try #require(opened != 0)
    #expect(unsafe image.width == 12)
    #expect(unsafe image.height == 8)
    unsafe image.format = png_uint_32(PNG_FORMAT_RGB)
    var bytes = [UInt8](repeating: 0, count: 12 * 8 * 3)
    let read = unsafe bytes.withUnsafeMutableBytes {
      unsafe png_image_finish_read(&image, nil, $0.baseAddress, 0, nil)
    }
    try #require(read != 0)
    #expect(bytes == pixels.bytes)
    #expect(pixels[0, 0] == Colour(5, 48, 97))
    #expect(pixels[3, 3] == Colour(5, 48, 97))
    #expect(pixels[4, 4] == Colour(103, 0, 31))
    #expect(pixels[7, 11] == ColourScale.notANumber)
  }

  @Test func `is written whole or not at all`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "nnjobs-picture-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pixels = Picture(rows: 1, columns: 1, numbers: [1]).pixels(scale: 1)
    let file = folder.appending(path: "a.png")
    try PNGFile.write(pixels, to: file.path)
    #expect(try [UInt8](Data(contentsOf: file)) == PNGFile.encode(pixels))
    // A folder of that name cannot be replaced; nothing may be left beside it.
    let taken = folder.appending(path: "b.png")
    try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
    #expect(throws: (any Error).self) { try PNGFile.write(pixels, to: taken.path) }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["a.png", "b.png"])
  }
}
