/// The digests of a result's files while they are written, in whatever order their bytes come.
///
/// A piece that one write covers whole is digested from the writer's memory; one that several writes share is read
/// back by whoever completes it. Once a window is complete, only its digest is kept.
struct DigestTree {
  /// A piece of a file, to be read back.
  struct Piece: Hashable {
    /// The number of the file.
    let file: Int
    /// Counted from the file's start.
    let number: Int
    /// Bytes of the file, its header included.
    let range: Range<Int>
  }

  /// A window whose pieces are not all known.
  private struct OpenWindow {
    var pieces: [ArrayDigest]
    var unknown: Int

    mutating func take(_ digest: ArrayDigest, at place: Int) {
      pieces[place] = digest
      unknown -= 1
    }
  }

  private struct File {
    let size: Int
    /// For each window its digest, once it is complete.
    var windows: [ArrayDigest?]
    var open: [Int: OpenWindow] = [:]
    /// Of pieces that are written in part, the bytes still to come.
    var missing: [Int: Int] = [:]
  }

  private var files: [File]

  /// Expects every byte of files of these sizes once.
  init(files sizes: [Int]) {
    files = sizes.map { size in
      let windows = size == 0 ? 0 : (size - 1) / ArrayDigest.windowBytes + 1
      return File(size: size, windows: Array(repeating: nil, count: windows))
    }
  }

  /// The bytes of a piece of a file of that size.
  static func range(ofPiece number: Int, size: Int) -> Range<Int> {
    let start = number * ArrayDigest.pieceBytes
    return start..<min(start + ArrayDigest.pieceBytes, size)
  }

  /// The pieces that lie wholly in a range of a file of that size.
  static func wholePieces(in range: Range<Int>, size: Int) -> Range<Int> {
    let bytes = ArrayDigest.pieceBytes
    let first = (range.lowerBound + bytes - 1) / bytes
    let end = range.upperBound == size ? (size + bytes - 1) / bytes : range.upperBound / bytes
    return first..<max(first, end)
  }

  /// Notes that a range of a file is written, with the digests of the pieces wholly in it; gives the pieces that are now
  /// complete and have to be read back.
  mutating func add(_ range: Range<Int>, of file: Int, whole digests: [ArrayDigest]) -> [Piece] {
    guard !range.isEmpty else { return [] }
    let size = files[file].size
    let whole = DigestTree.wholePieces(in: range, size: size)
    precondition(digests.count == whole.count, "a digest for each whole piece")
    for (number, digest) in zip(whole, digests) { set(digest, ofPiece: number, of: file) }
    let last = (range.upperBound - 1) / ArrayDigest.pieceBytes
    let first = range.lowerBound / ArrayDigest.pieceBytes
    var complete: [Piece] = []
    for number in first == last ? [first] : [first, last] where !whole.contains(number) {
      let piece = DigestTree.range(ofPiece: number, size: size)
      let left =
        files[file].missing[number, default: piece.count] - range.clamped(to: piece).count
      precondition(left >= 0, "every byte is written once")
      files[file].missing[number] = left == 0 ? nil : left
      if left == 0 { complete.append(Piece(file: file, number: number, range: piece)) }
    }
    return complete
  }

  /// Takes the digest of a piece that was read back.
  mutating func set(_ digest: ArrayDigest, of piece: Piece) {
    set(digest, ofPiece: piece.number, of: piece.file)
  }

  private mutating func set(_ digest: ArrayDigest, ofPiece number: Int, of file: Int) {
    let perWindow = ArrayDigest.windowBytes / ArrayDigest.pieceBytes
    let window = number / perWindow
    precondition(files[file].windows[window] == nil, "every byte is written once")
    let bytes = min(
      ArrayDigest.windowBytes, files[file].size - window * ArrayDigest.windowBytes)
    let count = (bytes - 1) / ArrayDigest.pieceBytes + 1
    files[file].open[
      window,
      default: OpenWindow(pieces: Array(repeating: digest, count: count), unknown: count)
    ].take(digest, at: number % perWindow)
    guard let complete = files[file].open[window], complete.unknown == 0 else { return }
    files[file].open[window] = nil
    files[file].windows[window] = ArrayDigest(of: complete.pieces)
  }

  /// The digest of each file; nil for one of which something was never written.
  var digests: [ArrayDigest?] {
    files.map { file in
      let windows = file.windows.compactMap { $0 }
      return windows.count == file.windows.count ? ArrayDigest(of: windows) : nil
    }
  }

  /// The windows of a file that lie wholly in a range of it, and what the range has before and behind them.
  static func windows(
    in range: Range<Int>, size: Int
  ) -> (whole: Range<Int>, head: Range<Int>, tail: Range<Int>) {
    let bytes = ArrayDigest.windowBytes
    let first = (range.lowerBound + bytes - 1) / bytes
    let end = range.upperBound == size ? (size + bytes - 1) / bytes : range.upperBound / bytes
    guard first < end else {
      return (first..<first, range.lowerBound..<range.lowerBound, range)
    }
    return (
      first..<end, range.lowerBound..<first * bytes,
      min(end * bytes, range.upperBound)..<range.upperBound
    )
  }

  /// The digests of some windows of a file, which are all done.
  func windows(_ windows: Range<Int>, of file: Int) -> [ArrayDigest] {
    let digests = files[file].windows[windows].compactMap { $0 }
    precondition(digests.count == windows.count, "what counts as done is written")
    return digests
  }

  /// Takes over the digests of a file's windows from `first` on, which an earlier attempt wrote.
  mutating func adopt(windows: [ArrayDigest], from first: Int, of file: Int) {
    for (number, digest) in windows.enumerated() {
      files[file].windows[first + number] = digest
    }
  }
}
