package import Jacobians

/// The header of a `.npy` file of format version 1.0, byte for byte as `numpy.save` writes it.
///
/// The numbers follow at once: little-endian, row by row. See numpy/lib/format.py for the format.
package struct NPYHeader: Hashable, Sendable {
  /// The first bytes of every `.npy` file, before the version.
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The shape of the array.
  package let shape: [Int]
  /// The type of its numbers.
  package let type: ScalarType

  /// Describes an array of at most 32 axes, numpy's own limit before version 2.
  package init(shape: [Int], type: ScalarType) {
    precondition(shape.count <= 32, "an array has at most 32 axes")
    precondition(shape.allSatisfy { $0 >= 0 }, "a length is not negative")
    self.shape = shape
    self.type = type
  }

  /// The whole header, a multiple of 64 bytes.
  package var bytes: [UInt8] {
    let lengths = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let descr = type == .float64 ? "<f8" : "<f4"
    var text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(lengths)), }"
    // numpy leaves room for the first length to grow to 21 digits when rows are appended later.
    if let first = shape.first { text += String(repeating: " ", count: 21 - "\(first)".count) }
    let unpadded = NPYHeader.magic.count + 2 + 2 + text.utf8.count + 1
    // numpy pads by 64 bytes, not by none, when the length is a multiple already.
    text += String(repeating: " ", count: 64 - unpadded % 64) + "\n"
    let length = UInt16(text.utf8.count)
    return NPYHeader.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
  }
}
