import Testing

@testable import Processing

/// Windows of ten bytes, two of them under way at most.
@Suite struct WriteBackTests {
  private func window(_ file: Int, _ number: Int) -> WriteBack.Window {
    WriteBack.Window(file: file, range: number * 10..<number * 10 + 10)
  }

  @Test func `a window begins when its last byte comes, and only then`() {
    var writeBack = WriteBack(files: [30], windowBytes: 10, ahead: 2)
    #expect(writeBack.add(0..<9, of: 0) == [])
    #expect(writeBack.add(10..<19, of: 0) == [])
    #expect(writeBack.add(9..<10, of: 0) == [.begin(window(0, 0))])
    #expect(writeBack.add(10..<10, of: 0) == [])
    #expect(writeBack.add(19..<30, of: 0).prefix(1) == [.begin(window(0, 1))])
  }

  @Test func `the oldest window is waited for when one more than allowed is under way`() {
    var writeBack = WriteBack(files: [20, 30], windowBytes: 10, ahead: 2)
    #expect(writeBack.add(0..<10, of: 1) == [.begin(window(1, 0))])
    #expect(writeBack.add(20..<30, of: 1) == [.begin(window(1, 2))])
    #expect(writeBack.add(0..<10, of: 0) == [.begin(window(0, 0)), .finish(window(1, 0))])
    #expect(writeBack.add(10..<20, of: 1) == [.begin(window(1, 1)), .finish(window(1, 2))])
  }

  @Test func `one range completes several windows, and each is begun in turn`() {
    var writeBack = WriteBack(files: [45], windowBytes: 10, ahead: 2)
    #expect(writeBack.add(0..<5, of: 0) == [])
    #expect(
      writeBack.add(5..<45, of: 0) == [
        .begin(window(0, 0)), .begin(window(0, 1)), .begin(window(0, 2)), .finish(window(0, 0)),
        .begin(window(0, 3)), .finish(window(0, 1)),
      ])
  }

  @Test(arguments: [0, 1, 9])
  func `a file shorter than a window, and a rest, is left to fsync`(bytes: Int) {
    var writeBack = WriteBack(files: [bytes, 10 + bytes], windowBytes: 10, ahead: 2)
    #expect(writeBack.add(0..<bytes, of: 0) == [])
    #expect(writeBack.add(10..<10 + bytes, of: 1) == [])
    #expect(writeBack.add(0..<10, of: 1) == [.begin(window(1, 0))])
  }
}
