import Formats
import Glibc
import Jacobians
import TestSupport
import Testing

@testable import Processing

@Suite struct ArrayDigestTests {
  /// Sizes around pieces and windows, and what Python's xxhash 4.1.0 gives by the lines in docs/results.md.
  @Test(arguments: [
    (1, "392506e7cc57d0be4be4ab070a40934a"),
    (128, "692a2d391d5225a84f48cb06d9d06f33"),
    (16383, "ddec2edd05a0203d683b626e73073640"),
    (16384, "9538703833839c82a0691517f92acdd8"),
    (16385, "fd5375341e5f4544b7cc26b7f8cda44c"),
    (8_388_607, "aba799f926399da35c04dcbe3f113cb9"),
    (8_388_608, "5d15b07970becdfdc732de3db006bdf1"),
    (8_388_609, "823f98d540d0a85ab9805c7ca7c9aa95"),
    (20_000_003, "4894d951d5a983f9426f7262f9f208e8"),
  ])
  func `a file's digest is what another program computes`(count: Int, expected: String) throws {
    let here = try TemporaryFolder()
    let file = try Descriptor(opening: here("x"), O_RDWR | O_CREAT)
    try file.write(
      (0..<count).map { UInt8(truncatingIfNeeded: ($0 & 0xFFFF) * 31 + ($0 & 0xFFFF) >> 8) }, at: 0)
    #expect(try ArrayDigest(ofFile: file).text == "xxh3-128:" + expected)
  }

  @Test func `an array of which something was never written is no result`() throws {
    let here = try TemporaryFolder()
    let arrays = ["x", "y"].map {
      ResultArray(gradient: "g", path: $0, shape: [10_000], axes: ["numbers"])
    }
    let partial = try PartialResult(folder: here("result"), arrays: arrays, dtype: .float64)
    let numbers = [Double](repeating: 1, count: 10_000)
    let bytes = unsafe numbers.span.bytes
    try partial.write(bytes, array: 0, at: 0)
    try partial.write(bytes.extracting(8..<80_000), array: 1, at: 8)
    let error = try #require(throws: JobError.self) { _ = try partial.digests() }
    #expect(error.code == .fault)
    #expect(
      error.sentence
        == "cannot complete \(here("result/y.npy")): a part of it was never written")
  }

  // 1. Right. 2. Each kind of damage is told; a manifest may say anything.
  @Test func `a check tells size, header and bytes apart`() throws {
    let here = try TemporaryFolder()
    let header = NPYHeader(shape: [2, 3], type: .float64).bytes
    let path = here("x.npy")
    func check(_ bytes: [UInt8], _ check: ArrayCheck) throws -> String? {
      unsafe unlink(path)
      try Descriptor(opening: path, O_RDWR | O_CREAT).write(bytes, at: 0)
      return check.problem(of: path)
    }
    let right = header + (0..<48).map { UInt8($0) }
    try Descriptor(opening: path, O_RDWR | O_CREAT).write(right, at: 0)
    let digest = try ArrayDigest(ofFile: try Descriptor(opening: path, O_RDONLY)).text
    let good = ArrayCheck(shape: [2, 3], dtype: "float64", bytes: 48, digest: digest)
    #expect(try check(right, good) == nil)  // 1
    var wrong = right
    wrong[header.count + 7] ^= 1
    #expect(try check(wrong, good)?.hasSuffix("instead of \(digest)") == true)  // 2
    #expect(try check(right.dropLast(), good) == "it has 175 bytes instead of 176")
    let turned = NPYHeader(shape: [3, 2], type: .float64).bytes + right.dropFirst(header.count)
    #expect(try check(turned, good) == "its header is not that of float64 in shape [2, 3]")
    unsafe unlink(path)
    #expect(good.problem(of: path) == "cannot open \(path): No such file or directory")
    #expect(
      try check(right, ArrayCheck(shape: [2, 3], dtype: "float64", bytes: 48, digest: nil))
        == "its manifest has no digest")
    for shape in [[-2, -3], [Int.max, 2], [Int.max], Array(repeating: 1, count: 33)] {
      #expect(
        try check(right, ArrayCheck(shape: shape, dtype: "float64", bytes: 48, digest: digest))
          == "its manifest describes no array")
    }
    #expect(
      try check(right, ArrayCheck(shape: [2, 3], dtype: "int8", bytes: 48, digest: digest))
        == "its manifest describes no array")
  }
}
