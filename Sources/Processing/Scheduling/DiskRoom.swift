package import Formats
import Glibc
package import Store

/// The room on the results' disk: what is free, and what of it running jobs were promised and have not taken yet.
package struct DiskRoom: Hashable, Sendable {
  /// Bytes free now.
  package let free: Int
  /// Bytes that running jobs plan to take and have not reserved yet.
  package let promised: Int

  /// States a room.
  package init(free: Int, promised: Int) {
    self.free = free
    self.promised = promised
  }

  /// What a running attempt was promised, and where it takes it.
  package struct Promise: Hashable, Sendable {
    /// The partial folder's name in the results folder.
    let partial: String
    /// Bytes.
    let bytes: Int

    /// A promise to an attempt of a job.
    package init(to job: Job, attempt: Int) {
      partial = ".partial-\(job.id)-\(attempt)"
      bytes = Int(job.disk)
    }
  }

  /// Looks at the disk and, unless that is already enough for `wanted` bytes, at what was taken of each promise.
  package init(of results: String, promises: [Promise], for wanted: Int) throws(SystemError) {
    free = try MachineLimits.freeDisk(at: results)
    let all = promises.reduce(0) { $0 + $1.bytes }
    promised =
      free - all >= wanted
      ? all
      : promises.reduce(0) { sum, promise in
        sum + max(0, promise.bytes - DiskRoom.taken(by: "\(results)/\(promise.partial)"))
      }
  }

  /// Bytes that another job may plan to take.
  package var left: Int { max(0, free - promised) }

  /// Whether a job's result has room; what earlier attempts have kept in `results` is the job's already.
  package func holds(_ job: Job, keptIn results: String) -> Bool {
    job.disk <= left
      || (1..<job.attempts + 1).contains { attempt in
        let folder = PartialFolders(in: results).folder(of: job.id, attempt: attempt)
        return ProgressRecord.isThere(in: folder)
          && Int(job.disk) - DiskRoom.taken(by: folder) <= left
      }
  }

  /// Why a job waits that has no room.
  package func reason(for job: Job, in results: String) -> JobReason {
    let promise =
      promised > 0 ? ", of which running jobs will take \(ByteCount.text(promised))" : ""
    return JobReason(
      code: JobError.Code.diskFull.rawValue,
      text: "\(job.name) waits for room: its results take \(ByteCount.text(Int(job.disk))), and "
        + "\(results) has \(ByteCount.text(free)) free\(promise); make room, as with "
        + "nnjobs remove --with-results, or cancel it")
  }

  /// Bytes of disk below a folder, as blocks that are reserved or written.
  private static func taken(by folder: String) -> Int {
    var bytes = 0
    for name in (try? FolderTree.names(in: folder)) ?? [] {
      let path = "\(folder)/\(String(decoding: name, as: UTF8.self))"
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      bytes += Int(status.st_blocks) * 512
      if status.st_mode & S_IFMT == S_IFDIR { bytes += taken(by: path) }
    }
    return bytes
  }
}
