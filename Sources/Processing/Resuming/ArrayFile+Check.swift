import Formats

extension ArrayFile {
  /// What an earlier attempt kept of a run of numbers, as it is.
  struct CheckedRun {
    /// Where it is in the file.
    let bytes: Range<Int>
    /// The windows that are wholly done, and their digests.
    let windows: Range<Int>
    let digests: [ArrayDigest]
    /// What is done before and behind them.
    let edges: [(start: Int, bytes: [UInt8])]
  }

  /// Compares what an earlier attempt kept of this file with its digests.
  ///
  /// If `isTrusted`, only the edges.
  func check(_ run: ProgressRecord.Run, isTrusted: Bool) throws(JobError) -> CheckedRun {
    let range = bytes(ofNumbers: run.numbers)
    let (whole, head, tail) = DigestTree.windows(in: range, size: byteCount)
    let isRight: Bool
    let edges: [[UInt8]]
    do throws(SystemError) {
      edges = try [head, tail].map { range throws(SystemError) in
        try descriptor.read(count: range.count, at: range.lowerBound)
      }
      let windows = isTrusted ? run.windows : try ArrayDigest.windows(whole, of: descriptor)
      isRight =
        windows == run.windows && windows.count == whole.count
        && edges.map { ArrayDigest(ofWindow: $0) } == [run.head, run.tail]
    } catch { throw JobError(error) }
    guard isRight else {
      throw JobError(
        .inputOutput, "cannot go on with \(descriptor.path): it is not as it was when it was kept")
    }
    return CheckedRun(
      bytes: range, windows: whole, digests: run.windows,
      edges: [(head.lowerBound, edges[0]), (tail.lowerBound, edges[1])])
  }

  /// What a record says of a run of numbers that is done, `windows` giving the digests of windows.
  func run(
    _ numbers: Range<Int>, windows: (Range<Int>) -> [ArrayDigest]
  ) throws(SystemError) -> ProgressRecord.Run {
    let (whole, head, tail) = DigestTree.windows(in: bytes(ofNumbers: numbers), size: byteCount)
    return ProgressRecord.Run(
      numbers: numbers,
      head: ArrayDigest(ofWindow: try descriptor.read(count: head.count, at: head.lowerBound)),
      windows: windows(whole),
      tail: ArrayDigest(ofWindow: try descriptor.read(count: tail.count, at: tail.lowerBound)))
  }
}
