import Formats
package import Store

/// The name of a claimed file, `<id>-<name of the dropped file>`, from which a lost row can be made again.
package struct ClaimedFile: Hashable, Sendable {
  /// The job's id.
  package let id: Int64
  /// The name the file was dropped under.
  package let name: JobFileName

  /// Names a claim.
  package init(id: Int64, name: JobFileName) {
    self.id = id
    self.name = name
  }

  /// Reads a name in the claimed folder; nil when it is no claim.
  package init?(fileName: String) {
    guard let dash = fileName.firstIndex(of: "-"), let id = Int64(fileName[..<dash]), id > 0,
      case .job(let name) = JobFileName.read(Array(fileName[fileName.index(after: dash)...].utf8))
    else { return nil }
    self.init(id: id, name: name)
  }

  /// The name in the claimed folder.
  package var fileName: String { "\(id)-\(name.file)" }

  /// Examines a claimed file that has no row: gives the row to record, or keeps the file aside and records that.
  package func settle(_ admission: Admission, _ store: JobStore) throws(QueueFault) -> NewJob? {
    let error: JobError
    let uid: UInt32
    switch admission.examineClaimed(self) {
    case .admissible(let file): return file.row(id: id)
    case .gone: return nil
    case .later(let failure): throw .files(failure)
    case .refused(let reason, let owner): (error, uid) = (reason, owner)
    case .incomplete(let reason, let owner): (error, uid) = (reason, owner)
    }
    let folders = admission.folders
    let kept = try QueueFault.files { () throws(SystemError) in
      try Refusal.keep(
        Array(fileName.utf8), of: folders.claimed, shown: name.file, because: error.sentence,
        in: folders)
    }
    if let kept {
      let row = Refusal.row(kept, id: id, uid: uid, in: folders)
      let reason = JobReason(code: error.code.rawValue, text: error.sentence)
      try QueueFault.store { () throws(StoreError) in
        try store.record { (store) throws(StoreError) in _ = try store.refuse(row, because: reason)
        }
      }
    }
    return nil
  }
}
