import CLinux
package import Formats
import Glibc
package import Store

/// Forgetting a job that has ended: its files first, then its row, so that no start can find a file and make a row of it.
///
/// A crash in between leaves a row whose files are gone; its owner asks again, and it is as if nothing had happened.
package struct JobRemoval: Sendable {
  private let folders: QueueFolders
  private let store: JobStore

  /// Removes from one queue.
  package init(folders: QueueFolders, store: JobStore) {
    self.folders = folders
    self.store = store
  }

  /// What became of a request to remove.
  package enum Outcome: Sendable {
    /// Files and row are gone.
    case removed
    /// The job has not ended.
    case notEnded
    /// A file could not be removed; the row stays, so that no start makes a job of the file.
    case stays(SystemError)
  }

  /// Removes a job's files and its row.
  package func remove(_ job: Job, withResult: Bool) throws(QueueFault) -> Outcome {
    guard job.state.isFinal else { return .notEnded }
    let result = withResult ? try result(of: job.id) : nil
    var doomed: String?
    do throws(SystemError) {
      switch job.state {
      case .refused: try removeRefused(job)
      default: try JobRemoval.unlink("\(folders.claimed)/\(job.file)")
      }
      // Before the row: a log that no row knows would stay for ever.
      try JobLog(folders).forget(job.id)
      if let result { doomed = try unpublish(result) }
    } catch { return .stays(error) }
    // The unlinks must be on disk before the row goes: else a power cut brings back a claimed file that no row knows,
    // and the job runs again, or a log that nobody removes.
    let folder = job.state == .refused ? folders.refused : folders.claimed
    try synchronize([folder, folders.logs] + (doomed == nil ? [] : [folders.results]))
    let isRemoved = try record { (store) throws(StoreError) in
      try store.transaction { (store) throws(StoreError) in
        if let result { try store.forget(results: [result], waitingFor: ResultRoom.code) }
        return try store.remove(job.id)
      }
    }
    // Many files may be in it: nobody who reads the store waits for that.
    if let doomed { FolderTree.remove(doomed) }
    return isRemoved ? .removed : .notEnded
  }

  /// The published result of a job, forgotten or not; nil when it has none, or its name is another result's by now.
  package func result(of id: Int64) throws(QueueFault) -> KeptResult? {
    try record { (store) throws(StoreError) in try store.result(of: id) }
  }

  /// Removes a result whose job is forgotten.
  package func remove(_ result: KeptResult) throws(QueueFault) -> Outcome {
    let doomed: String?
    do throws(SystemError) { doomed = try unpublish(result) } catch { return .stays(error) }
    if doomed != nil { try synchronize([folders.results]) }
    try record { (store) throws(StoreError) in
      try store.transaction { (store) throws(StoreError) in
        try store.forget(results: [result], waitingFor: ResultRoom.code)
      }
    }
    if let doomed { FolderTree.remove(doomed) }
    return .removed
  }

  private func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(QueueFault) -> Value {
    try QueueFault.store { () throws(StoreError) in try store.record(body) }
  }

  private func synchronize(_ changed: [String]) throws(QueueFault) {
    try QueueFault.files { () throws(SystemError) in
      for folder in changed { try Descriptor.synchronizeFolder(folder) }
    }
  }

  /// The file before its note: a note alone is nothing to a start, a file alone would become a row.
  private func removeRefused(_ job: Job) throws(SystemError) {
    let kept = "\(folders.refused)/\(job.file)"
    if unsafe Glibc.unlink(kept) != 0, errno != ENOENT {
      let code = errno
      // What was dropped may have been a folder.
      FolderTree.remove(kept)
      if FolderTree.isThere(kept) { throw SystemError(call: "remove", object: kept, code: code) }
    }
    try JobRemoval.unlink(kept + Refusal.noteEnding)
  }

  /// unlink(2) of what may be gone already.
  private static func unlink(_ path: String) throws(SystemError) {
    guard unsafe Glibc.unlink(path) != 0, errno != ENOENT else { return }
    throw SystemError(call: "remove", object: path, code: errno)
  }

  /// Takes the result's name away at once; what it is renamed to a start removes. Nil when it is gone.
  private func unpublish(_ result: KeptResult) throws(SystemError) -> String? {
    let path = "\(folders.results)/\(result.folder)"
    let doomed = "\(folders.results)/.partial-\(result.job)-removed"
    FolderTree.remove(doomed)
    guard unsafe nnjobs_rename_noreplace(path, doomed) == 0 else {
      if errno == ENOENT { return nil }
      throw SystemError(call: "remove", object: path, code: errno)
    }
    return doomed
  }
}
