import Formats
import Testing

@testable import nnjobs

@Suite struct `A picture of a .npy file` {
  /// A file as numpy 2 saves `np.arange(n, dtype)` reshaped; numbers are given as their bytes.
  private static func file(_ descr: String, _ shape: String, _ numbers: [UInt8]) -> [UInt8] {
    var header = "{'descr': '\(descr)', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + numbers
  }

  @Test(arguments: ["<f8", "<f4", "<i4", ">f8"])
  func `shows the slice that was asked for`(descr: String) throws {
    let numbers = (0..<24).flatMap { number -> [UInt8] in
      switch descr {
      case "<f8": bytes(Double(number).bitPattern.littleEndian)
      case ">f8": bytes(Double(number).bitPattern.bigEndian)
      case "<f4": bytes(Float(number).bitPattern.littleEndian)
      default: bytes(Int32(number).littleEndian)
      }
    }
    let file = try NPYFile(
      examining: Self.file(descr, "(2, 3, 4)", numbers), path: "a.npy")
    let slice = try PictureSlice(of: file.shape, at: [1, 2], reshaped: (rows: 2, columns: 2))
    let picture = try Picture(of: file, slice)
    #expect(picture == Picture(rows: 2, columns: 2, numbers: [20, 21, 22, 23]))
  }

  private func bytes<T: FixedWidthInteger>(_ number: T) -> [UInt8] {
    unsafe withUnsafeBytes(of: number) { unsafe Array($0) }
  }
}
