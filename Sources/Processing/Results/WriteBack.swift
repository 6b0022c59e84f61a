/// Which parts of a result's files are complete, on their way to the disk, or there.
///
/// Left to itself the kernel begins late, holds up whoever writes once too much waits, and fills memory with pages nobody
/// reads. So a window that is complete begins at once; when `ahead` windows are on their way, the one that began
/// first is waited for and forgotten. docs/writing.md has the measurements, and what was rejected.
struct WriteBack {
  /// A range of one file: files are divided into windows from their start.
  struct Window: Hashable {
    /// The number of the file.
    let file: Int
    /// Bytes of the file, its header included.
    let range: Range<Int>
  }

  /// What the caller does next, holding no lock.
  enum Step: Hashable {
    /// Begin to write a window back.
    case begin(Window)
    /// Wait for a window that began, and forget it.
    case finish(Window)
  }

  private let windowBytes: Int
  private let ahead: Int
  /// For each file and window, how many bytes are still to come.
  private var missing: [[Int]]
  /// The windows that began and are not waited for, the oldest first.
  private var underWay: [Window] = []

  /// Expects every byte of files of these sizes once; what is no whole window at a file's end is left to fsync(2).
  init(files sizes: [Int], windowBytes: Int = 8 << 20, ahead: Int = 16) {
    precondition(windowBytes > 0 && ahead > 0, "something is under way")
    self.windowBytes = windowBytes
    self.ahead = ahead
    missing = sizes.map { Array(repeating: windowBytes, count: $0 / windowBytes) }
  }

  /// Notes that `range` of a file is written; ranges may come in any order, and cut windows anywhere.
  mutating func add(_ range: Range<Int>, of file: Int) -> [Step] {
    var steps: [Step] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let number = start / windowBytes
      guard number < missing[file].count else { break }
      let window = number * windowBytes..<(number + 1) * windowBytes
      let end = min(range.upperBound, window.upperBound)
      missing[file][number] -= end - start
      if missing[file][number] == 0 {
        let complete = Window(file: file, range: window)
        steps.append(.begin(complete))
        underWay.append(complete)
        if underWay.count > ahead { steps.append(.finish(underWay.removeFirst())) }
      }
      start = end
    }
    return steps
  }

  /// Notes that a range of a file is on disk already.
  mutating func skip(_ range: Range<Int>, of file: Int) {
    for number in missing[file].indices {
      let window = number * windowBytes..<(number + 1) * windowBytes
      missing[file][number] -= range.clamped(to: window).count
    }
  }
}
