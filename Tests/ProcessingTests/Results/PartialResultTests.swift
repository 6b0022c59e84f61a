import Dispatch
import Formats
import Foundation
import Glibc
import Jacobians
import Synchronization
import TestSupport
import Testing

@testable import Processing

@Suite struct PartialResultTests {
  /// Where results may be: a disk's file system (as a rule), and one in memory.
  static let places = [FileManager.default.temporaryDirectory.path, "/dev/shm"]

  /// Numbers of 4 bytes: none, around a page with and without the header of 128 bytes, around windows, many windows.
  static let counts = [
    0, 1, 991, 992, 993, 1023, 1024, 1025, 2015, 2016, 2017, 16_351, 16_352, 16_353, 700_003,
    2_800_003,
  ]

  // 1. The file is the header and the numbers. 2. So many bytes were counted. 3. The digests are those of the files.
  @Test(arguments: places, counts)
  func `ranges in any order, by several threads, cut anywhere, give the same file`(
    place: String, count: Int
  ) throws {
    let folder = "\(place)/nnjobs-test-\(UUID().uuidString)"
    defer { FolderTree.remove(folder) }
    var generator = SeededGenerator(seed: UInt64(count))
    let arrays = [array("a/x", count), array("y", count / 3)]
    let partial = try PartialResult(folder: folder, arrays: arrays, dtype: .float32) {
      WriteBack(files: $0, windowBytes: 1 << 16, ahead: 3)
    }
    let contents = arrays.map { array in
      (0..<array.count * 4).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
    var ranges: [(array: Int, range: Range<Int>)] = []
    for (number, content) in contents.enumerated() {
      ranges += split(content.count, using: &generator).map { (number, $0) }
    }
    ranges.shuffle(using: &generator)
    let order = ranges
    let failures = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for (array, range) in stride(from: thread, to: order.count, by: 4).map({ order[$0] }) {
        do {
          try partial.write(contents[array], range, array: array, at: range.lowerBound)
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
    }
    #expect(failures.withLock { $0 } == [])
    try partial.synchronize()
    #expect(partial.bytesWritten == contents.reduce(0) { $0 + $1.count })  // 2
    let digests = try partial.digests()
    for (number, (array, content)) in zip(arrays, contents).enumerated() {
      let written = try Descriptor(opening: "\(folder)/\(array.path).npy", O_RDONLY)
      #expect(try ArrayDigest(ofFile: written) == digests[number], "\(array.path)")  // 3
      let file = try Data(contentsOf: URL(filePath: "\(folder)/\(array.path).npy"))
      let expected = NPYHeader(shape: array.shape, type: .float32).bytes + content
      #expect(file == Data(expected), "\(array.path)")  // 1
    }
  }

  @Test func `what is written does not stay in the page cache`() throws {
    let here = try TemporaryFolder()
    let bytes = 8 << 20
    let partial = try PartialResult(
      folder: here("result"), arrays: [array("x", bytes / 4)], dtype: .float32
    ) { WriteBack(files: $0, windowBytes: 1 << 18, ahead: 2) }
    let block = [UInt8](repeating: 7, count: 1 << 18)
    for offset in stride(from: 0, to: bytes, by: block.count) {
      try partial.write(block, 0..<block.count, array: 0, at: offset)
    }
    let resident = try pagesInMemory(of: here("result/x.npy")) * 4096
    // Three windows are not forgotten; a file system in memory forgets nothing.
    if try canForget(here) { #expect(resident < bytes / 2, "\(resident >> 10) KiB") }
  }

  @Test func `a disk without room for the result is an error at once, and leaves nothing`() throws {
    let here = try TemporaryFolder()
    let arrays = [array("a", 1024), array("b/c", 1 << 50)]
    let error = try #require(throws: SystemError.self) {
      _ = try PartialResult(folder: here("result"), arrays: arrays, dtype: .float64)
    }
    #expect(error.call.hasPrefix("reserve ") && error.object == here("result/b/c.npy"))
    #expect(error.code == ENOSPC || error.code == EFBIG)
    #expect(try here.names(in: "") == [])
  }

  @Test func `a write that fails is an error that names the file`() async {
    await #expect(processExitsWith: .success) {
      let here = try TemporaryFolder()
      let partial = try PartialResult(
        folder: here("result"),
        arrays: [
          ResultArray(gradient: "g", path: "x", shape: [4096], axes: ["numbers"])
        ], dtype: .float64)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
      guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
        exit(2)
      }
      let block = [UInt8](repeating: 1, count: 4096)
      try partial.write(block, 0..<64, array: 0, at: 0)
      do {
        try partial.write(block, 0..<block.count, array: 0, at: 8192)
        exit(3)
      } catch let error as SystemError {
        exit(error == SystemError(call: "write", object: here("result/x.npy"), code: EFBIG) ? 0 : 4)
      }
    }
  }

  private func array(_ path: String, _ count: Int) -> ResultArray {
    ResultArray(gradient: "g", path: path, shape: [count], axes: ["numbers"])
  }

  /// Ranges from single bytes to several windows that make up `count` bytes.
  private func split(_ count: Int, using generator: inout SeededGenerator) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    while start < count {
      let most = [1, 8, 4095, 4096, 4097, 1 << 16, 1 << 18].randomElement(using: &generator) ?? 1
      let end = min(count, start + Int.random(in: 1...most, using: &generator))
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }

  /// Whether the page cache of a folder's file system is another place than its files.
  private func canForget(_ here: TemporaryFolder) throws -> Bool {
    let file = try Descriptor(opening: here("page"), O_RDWR | O_CREAT)
    try file.write([UInt8](repeating: 1, count: 4096), at: 0)
    try file.synchronize()
    _ = posix_fadvise(file.number, 0, 4096, POSIX_FADV_DONTNEED)
    return try pagesInMemory(of: here("page")) == 0
  }

  private func pagesInMemory(of path: String) throws -> Int {
    let file = try Descriptor(opening: path, O_RDONLY)
    let bytes = try file.size()
    let map = unsafe mmap(nil, bytes, PROT_READ, MAP_SHARED, file.number, 0)
    defer { unsafe munmap(map, bytes) }
    var pages = [UInt8](repeating: 0, count: (bytes + 4095) / 4096)
    try #require(unsafe mincore(map, bytes, &pages) == 0)
    return pages.count { $0 & 1 == 1 }
  }
}

extension PartialResult {
  fileprivate func write(
    _ bytes: [UInt8], _ range: Range<Int>, array: Int, at offset: Int
  ) throws {
    let whole = bytes.span
    // Bytes as bytes: every bit pattern is a number, and none is missing.
    let part = unsafe whole.bytes.extracting(range)
    try write(part, array: array, at: offset)
  }
}
