import Testing

@testable import nnjobs

@Suite struct `A picture's options` {
  @Test func `are read as users write them`() throws {
    #expect(try PictureWords.index("3") == [3])
    #expect(try PictureWords.index("3,7") == [3, 7])
    #expect(try PictureWords.shape("8x16") == (8, 16))
  }

  @Test(arguments: ["", "3,", "a", "3;7", "3 7", "1e3", "99999999999999999999"])
  func `no index is`(text: String) {
    let error = #expect(throws: Complaint.self) { try PictureWords.index(text) }
    #expect(
      error?.sentence
        == "option --index does not take \"\(text)\"; it takes whole numbers, as 3,7")
  }

  @Test(arguments: ["", "8", "8x", "x8", "8x8x8", "0x8", "-8x-8", "8*8"])
  func `no shape is`(text: String) {
    let error = #expect(throws: Complaint.self) { try PictureWords.shape(text) }
    #expect(
      error?.sentence
        == "option --shape does not take \"\(text)\"; it takes rows and columns, as 8x8")
  }
}
