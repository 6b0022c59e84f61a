import Formats
import Foundation
import Jacobians
import Testing

struct NPYTests {
  private static let types = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]

  @Test(arguments: types, ["little", "big"])
  func `every number type is read in either byte order`(type: String, order: String) throws {
    let file = try NPYFile(examining: Fixture.path("\(type)-\(order).npy"))
    #expect(file.shape == [2, 3])
    #expect(try numbers(file.values(Double.self)) == [0, 1, 2, 3, 4, 5])
    #expect(try numbers(file.values(Float.self)) == [0, 1, 2, 3, 4, 5])
  }

  private static let layouts: [(name: String, shape: [Int], expected: [Double])] = [
    ("bool.npy", [2, 3], [0, 1, 0, 1, 0, 1]), ("version-2.npy", [2, 3], [0, 1, 2, 3, 4, 5]),
    ("version-3.npy", [2, 3], [0, 1, 2, 3, 4, 5]), ("scalar.npy", [], [7]),
    ("vector.npy", [5], [0, 1, 2, 3, 4]), ("empty.npy", [0, 3], []),
    ("fortran.npy", [2, 3, 4], (0..<24).map(Double.init)),
    ("fortran-big.npy", [2, 3, 4], (0..<24).map(Double.init)),
  ]

  @Test(arguments: layouts)
  func `versions, ranks and element orders are read`(
    name: String, shape: [Int], expected: [Double]
  ) throws {
    let file = try NPYFile(examining: Fixture.path(name))
    #expect(file.shape == shape)
    #expect(try file.numbers() == expected)
    let memory = try NPYFile(examining: Fixture.bytes(name), path: name)
    #expect(try memory.numbers() == expected)
  }

  @Test func `integers beyond double precision and of either sign are rounded to the nearest`()
    throws
  {
    func file(_ descr: String, _ data: [UInt8]) throws -> [Double] {
      let bytes = NPYTests.file(
        "{'descr': '\(descr)', 'fortran_order': False, 'shape': (1,), }", data)
      return try NPYFile(examining: bytes, path: "a.npy").numbers()
    }
    #expect(try file("<i8", Sample.bytes(Int64.min)) == [-0x1p63])
    #expect(try file("<i8", Sample.bytes(((1 << 53) + 3) as Int64)) == [0x1p53 + 4])
    #expect(try file(">i2", [0xFF, 0xFE]) == [-2])
    #expect(try file("<u8", Sample.bytes(UInt64.max)) == [0x1p64])
    #expect(try file("|i1", [0x80]) == [-128])
    #expect(try file("=f8", Sample.bytes((-2.5).bitPattern)) == [-2.5])
  }

  @Test func `headers are written as numpy writes them`() throws {
    struct Expected: Decodable {
      let shape: [Int]
      let dtype: String
      let header: String
    }
    let cases = try JSONDecoder().decode([Expected].self, from: Data(Fixture.bytes("headers.json")))
    #expect(cases.count == 206)
    for expected in cases {
      let header = NPYHeader(
        shape: expected.shape, type: expected.dtype == "<f8" ? .float64 : .float32)
      let digits = header.bytes.map { String(format: "%02x", $0) }.joined()
      #expect(digits == expected.header, "\(expected.shape) \(expected.dtype)")
    }
  }

  @Test func `what is written is read back`() throws {
    let data = [1.5, -2, .infinity].flatMap { Sample.bytes($0.bitPattern) }
    let bytes = NPYHeader(shape: [3, 1], type: .float64).bytes + data
    let file = try NPYFile(examining: bytes, path: "a.npy")
    #expect(file.shape == [3, 1])
    #expect(try file.numbers() == [1.5, -2, .infinity])
  }

  /// A file of version 1 with this header text.
  private static func file(_ text: String, _ data: [UInt8] = []) -> [UInt8] {
    NPYHeader.magic + [1, 0] + Sample.bytes(UInt16(text.utf8.count)) + Array(text.utf8) + data
  }

  private static let supported =
    "supported are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 and bool, in either byte order"

  private static let bad: [(bytes: [UInt8], sentence: String)] = [
    (Array("hello".utf8), "byte 0: the file does not begin as a .npy file; numpy.save writes one"),
    (NPYHeader.magic + [4, 0], "byte 6: format version 4 is not known; versions 1, 2 and 3 are"),
    (NPYHeader.magic + [1, 1, 0, 0], "byte 7: format version 1.1 is not known"),
    (
      NPYHeader.magic + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF],
      "byte 8: the header claims 4294967295 bytes; at most 65535 are read"
    ),
    (file("[]"), #"byte 10: "[" stands where "{" belongs"#),
    (file("{'descr': '<f8'"), #"byte 25: the header's end stands where "}" belongs"#),
    (
      file("{'descr': __import__('os')}"),
      #"byte 20: "_" stands where a text, True, False or a tuple belongs"#
    ),
    (file("{'a': 'b\\'"), #"byte 18: "\" stands where a plain character belongs"#),
    (file("{'a': (-1,)}"), #"byte 17: "-" stands where a length belongs"#),
    (file("{'a': (99999999999999999999,)}"), "byte 17: a length is too large"),
    (file("{'a': True, 'a': True}"), #"byte 26: the key "a" stands twice"#),
    (file("{} 1"), #"byte 13: "1" stands where the end of the header belongs"#),
    (file("{'descr': [['"), #"byte 23: the header's end stands where ] belongs"#),
    (
      file("{'descr': '<f8', 'fortran_order': 'no', 'shape': ()}"),
      "byte 10: the header has not the keys descr, fortran_order and shape with their values"
    ),
    (
      file("{'descr': '<f8', 'fortran_order': False, 'shape': (), 'more': ()}"),
      "byte 10: the header has not the keys descr, fortran_order and shape with their values"
    ),
    (
      file("{'descr': '|f8', 'fortran_order': False, 'shape': ()}"),
      #"byte 10: numbers of type "|f8" are not supported; "# + supported
    ),
    (
      file("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4)}"),
      "byte 10: the shape (4611686018427387904, 4) has too many numbers"
    ),
    (
      file("{'descr': '|u1', 'fortran_order': False, 'shape': (2)}", [1, 2, 3]),
      "byte 66: the numbers of shape (2) end here, 1 byte before the file does"
    ),
  ]

  @Test(arguments: bad)
  func `a file that is no array of numbers is refused`(bytes: [UInt8], sentence: String) {
    let error = failure { () throws(FormatError) in _ = try NPYFile(examining: bytes, path: "a.npy")
    }
    #expect(error?.sentence == "cannot read a.npy: " + sentence)
    #expect(error?.isIncomplete == false)
  }

  @Test(arguments: [
    ("complex.npy", #"numbers of type "<c16" are not supported; "#),
    ("text.npy", #"numbers of type "<U1" are not supported; "#),
    ("object.npy", #"numbers of type "|O" are not supported; "#),
    ("structured.npy", "structured numbers are not supported; "),
  ])
  func `types that are no plain numbers are refused by what is supported`(
    name: String, sentence: String
  ) throws {
    let bytes = try Fixture.bytes(name)
    let error = failure { () throws(FormatError) in _ = try NPYFile(examining: bytes, path: "a.npy")
    }
    #expect(error?.sentence == "cannot read a.npy: byte 10: " + sentence + NPYTests.supported)
  }
}
