package import Formats

/// Decides what a file in the inbox is: a job that this machine can run, no job, or not complete yet.
///
/// Reads with positioned reads only: a file that its owner cuts short meanwhile is an error, not a crash.
package struct Admission: Sendable {
  /// The queue's folders.
  package let folders: QueueFolders
  /// What this machine offers.
  package let machine: MachineLimits
  /// What jobs and users are limited to.
  package let limits: QueueLimits
  /// What was measured of this machine when the daemon started, if anything.
  package let rates: MachineRates?

  /// Admits to a queue on a machine.
  package init(
    folders: QueueFolders, machine: MachineLimits, limits: QueueLimits = QueueLimits(),
    rates: MachineRates? = nil
  ) {
    self.folders = folders
    self.machine = machine
    self.limits = limits
    self.rates = rates
  }

  /// What a file turned out to be.
  package enum Verdict: Sendable {
    /// A job, which only needs its id and its claim.
    case admissible(AdmissibleFile)
    /// No job, with the reason, and whose it is where that is known.
    case refused(JobError, uid: UInt32)
    /// It may become a job when more bytes, or another name, come.
    case incomplete(JobError, uid: UInt32)
    /// It is not there any more.
    case gone
    /// This machine cannot read it now.
    case later(SystemError)
  }

  /// Examines the file of that name in the inbox.
  package func examine(_ name: JobFileName) -> Verdict {
    examine(at: "\(folders.jobs)/\(name.file)", name)
  }

  /// Examines a claimed file anew, as after a crash between its claim and its row.
  package func examineClaimed(_ claim: ClaimedFile) -> Verdict {
    examine(at: "\(folders.claimed)/\(claim.fileName)", claim.name)
  }

  private func examine(at path: String, _ name: JobFileName) -> Verdict {
    let uid: UInt32
    do throws(DropError) {
      let dropped = try DroppedFile(opening: path, name: name.file)
      uid = dropped.uid
      do throws(JobError) {
        if name.ending == nil {
          // A program that writes under another name first may still rename it.
          throw JobError(
            .incomplete, "cannot take \(path): a job file's name ends in .json or .safetensors")
        }
        let job = try PlannedJob(
          examining: dropped.file, references: .refused, on: machine)
        try job.checkFit(on: machine, results: folders.results, whenEmpty: true)
        let timeLimit = try limits.admit(job, of: uid, file: path)
        if dropped.links > 1 {
          throw JobError(
            .incomplete, "cannot take \(path): it has \(dropped.links) hard links; drop a copy")
        }
        return .admissible(AdmissibleFile(dropped, name, job, timeLimit, self))
      } catch {
        guard error.code == .incomplete else { return .refused(error, uid: uid) }
        return .incomplete(error, uid: uid)
      }
    } catch {
      switch error {
      case .gone: return .gone
      case .later(let error): return .later(error)
      case .refused(let sentence):
        return .refused(JobError(.invalid, sentence), uid: FolderTree.owner(of: path))
      }
    }
  }
}
