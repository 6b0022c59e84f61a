import Testing

@testable import nnjobs

@Suite struct `A picture's options` {
  @Test func `are read as users write them`() throws {
    #expect(try PictureWords.index("3") == [3])
    #expect(try PictureWords.index("3,7") == [3, 7])
    #expect(try PictureWords.shape("8x16") == (8, 16))
    #expect(try PictureWords.scale("1024") == 1024)
  }

  @Test(arguments: ["", "3,", "a", "3;7", "3 7", "1e3", "99999999999999999999"])
  func `no index is`(text: String) {
    let error = #expect(throws: PictureError.self) { try PictureWords.index(text) }
    #expect(
      error?.sentence == "--index \(text) is no list of whole numbers; write it as 3,7")
  }

  @Test(arguments: ["", "8", "8x", "x8", "8x8x8", "0x8", "-8x-8", "8*8"])
  func `no shape is`(text: String) {
    let error = #expect(throws: PictureError.self) { try PictureWords.shape(text) }
    #expect(error?.sentence == "--shape \(text) is no pair of sizes; write it as 8x8")
  }

  @Test(arguments: ["", "0", "-1", "1025", "2.5"])
  func `no scale is`(text: String) {
    let error = #expect(throws: PictureError.self) { try PictureWords.scale(text) }
    #expect(error?.sentence == "--scale \(text) is no whole number from 1 to 1024")
  }
}
