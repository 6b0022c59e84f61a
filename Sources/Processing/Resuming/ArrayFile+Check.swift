import Formats

extension ArrayFile {
  /// Compares what an earlier attempt kept of this file with its digests, and gives what is done of the next window.
  ///
  /// If `isTrusted`, only that edge.
  func check(
    _ done: ProgressRecord.ArrayProgress, end: Int, isTrusted: Bool
  ) throws(JobError) -> [UInt8] {
    let (count, range) = DigestTree.windows(done: end, size: byteCount)
    let isRight: Bool
    let edge: [UInt8]
    do throws(SystemError) {
      edge = try descriptor.read(count: range.count, at: range.lowerBound)
      let windows =
        isTrusted ? done.windows : try ArrayDigest.windows(0..<count, of: descriptor)
      isRight =
        windows == done.windows && windows.count == count
        && ArrayDigest(ofWindow: edge) == done.edge
    } catch { throw JobError(error) }
    guard isRight else {
      throw JobError(
        .inputOutput, "cannot go on with \(descriptor.path): it is not as it was when it was kept")
    }
    return edge
  }
}
