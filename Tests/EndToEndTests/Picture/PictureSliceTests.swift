import Testing

@testable import nnjobs

@Suite struct `A picture's slice` {
  @Test(
    arguments: [
      ([8, 6], [], nil, 0, 8, 6),
      ([360, 10, 64], [3, 7], nil, (3 * 10 + 7) * 64, 1, 64),
      ([360, 10, 64], [3, 7], [8, 8], (3 * 10 + 7) * 64, 8, 8),
      ([360, 10, 64], [1], nil, 640, 10, 64),
      ([2, 3, 4, 5], [1, 2], nil, 100, 4, 5),
      ([5], [4], nil, 4, 1, 1),
      ([], [], nil, 0, 1, 1),
      ([12], [], [3, 4], 0, 3, 4),
    ] as [([Int], [Int], [Int]?, Int, Int, Int)])
  func `is one run of numbers`(
    shape: [Int], index: [Int], reshaped: [Int]?, offset: Int, rows: Int, columns: Int
  ) throws {
    let slice = try PictureSlice(
      of: shape, at: index, reshaped: reshaped.map { (rows: $0[0], columns: $0[1]) })
    #expect(slice.offset == offset)
    #expect(slice.rows == rows)
    #expect(slice.columns == columns)
  }

  @Test(
    arguments: [
      (
        [360, 10, 64], [], nil,
        "3 axes (360 × 10 × 64) make no picture; fix leading ones, as --index 0"
      ),
      (
        [360, 10, 48, 64], [], nil,
        "4 axes (360 × 10 × 48 × 64) make no picture; fix leading ones, as --index 0,0"
      ),
      (
        [360, 10, 48, 64], [0], nil,
        "3 axes (10 × 48 × 64) make no picture; fix leading ones, as --index 0,0"
      ),
      ([4, 5], [0, 1, 2], nil, "--index fixes 3 axes and the array has 2 (4 × 5)"),
      ([4, 5], [4], nil, "--index 4 is outside axis 0 of 4; 0 to 3 are inside"),
      ([4, 5], [0, -1], nil, "--index -1 is outside axis 1 of 5; 0 to 4 are inside"),
      ([0, 5], [0], nil, "--index 0 is outside axis 0 of 0"),
      ([0, 5], [], nil, "the array is empty (0 × 5)"),
      (
        [4, 64], [0], [8, 7],
        "--shape 8x7 does not hold the 64 numbers left; rows times columns must be 64"
      ),
      (
        [4, 64], [0], [Int.max, 2],
        "--shape 9223372036854775807x2 does not hold the 64 numbers left; rows times columns must be 64"
      ),
      (
        [1 << 40, 1 << 40], [], nil,
        "the array's size (1099511627776 × 1099511627776) is too large"
      ),
    ] as [([Int], [Int], [Int]?, String)])
  func `is refused with what would be right`(
    shape: [Int], index: [Int], reshaped: [Int]?, sentence: String
  ) {
    let error = #expect(throws: PictureError.self) {
      try PictureSlice(
        of: shape, at: index, reshaped: reshaped.map { (rows: $0[0], columns: $0[1]) })
    }
    #expect(error?.sentence == sentence)
  }
}
