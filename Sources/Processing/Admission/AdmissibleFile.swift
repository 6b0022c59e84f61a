package import Formats
import Glibc
import Jacobians
package import Store

/// A valid job that waits for its claim: what its row will say.
package struct AdmissibleFile: Sendable, Hashable {
  /// The dropped file's name.
  package let name: JobFileName
  private let uid: UInt32
  private let inode: UInt64
  private let modified: Int64
  private let priority: Int
  private let bytes: Int
  private let memory: Int
  private let cores: Int
  private let disk: Int
  private let timeLimit: Double?

  /// Takes down what the row needs.
  init(
    _ dropped: borrowing DroppedFile, _ name: JobFileName, _ job: PlannedJob,
    _ timeLimit: Double?, _ admission: Admission
  ) {
    self.name = name
    uid = dropped.uid
    inode = dropped.inode
    modified = dropped.modified
    priority = admission.limits.priority(job.jobFile.document.priority, of: dropped.uid)
    bytes = job.plan.resultBytes
    cores = job.usefulCores(on: admission.machine, at: admission.rates)
    memory = job.processMemory(threads: cores)
    disk = job.diskRoom
    self.timeLimit = timeLimit
  }

  /// What a claim came to.
  package enum Claim: Sendable {
    /// The examined file is claimed.
    case done
    /// It is not there any more.
    case gone
    /// Another file had taken its name after it was examined; that one is claimed now, and must be examined.
    case other(ClaimedFile)
  }

  /// Renames the file out of the inbox.
  ///
  /// The caller fsyncs both folders, once for all files it claims, before it records rows.
  package func claim(as id: Int64, in folders: QueueFolders) throws(SystemError) -> Claim {
    let claim = ClaimedFile(id: id, name: name)
    let claimed = "\(folders.claimed)/\(claim.fileName)"
    do throws(SystemError) {
      try SystemCall.retrying("claim", "\(folders.jobs)/\(name.file)") {
        unsafe rename("\(folders.jobs)/\(name.file)", claimed)
      }
    } catch {
      if error.code == ENOENT { return .gone }
      throw error
    }
    var status = stat()
    guard unsafe lstat(claimed, &status) == 0, UInt64(status.st_ino) == inode else {
      return .other(claim)
    }
    return .done
  }

  /// The row of this job.
  package func row(id: Int64) -> NewJob {
    NewJob(
      id: id, name: name.job, file: ClaimedFile(id: id, name: name).fileName, uid: uid,
      priority: priority, bytes: Int64(bytes), memory: Int64(memory), cores: cores, inode: inode,
      modified: modified, timeLimit: timeLimit, disk: Int64(disk))
  }
}
