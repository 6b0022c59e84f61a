import CLinux
import Formats
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

  /// Removes a job's files and its row; false when the job has not ended.
  package func remove(_ job: Job, withResult: Bool) throws(QueueFault) -> Bool {
    guard job.state.isFinal else { return false }
    switch job.state {
    case .refused: try removeRefused(job)
    default: try removeClaimed(job)
    }
    // Before the row: a log that no row knows would stay for ever.
    JobLog(folders).forget(job.id)
    let result = withResult ? try result(of: job.id) : nil
    let doomed = try result.flatMap { (result) throws(QueueFault) in try unpublish(result) }
    let isRemoved = try record { (store) throws(StoreError) in
      try store.transaction { (store) throws(StoreError) in
        if let result { try store.forget(results: [result], waitingFor: ResultRoom.code) }
        return try store.remove(job.id)
      }
    }
    // Many files may be in it: nobody who reads the store waits for that.
    if let doomed { FolderTree.remove(doomed) }
    return isRemoved
  }

  /// The published result of a job, forgotten or not; nil when it has none, or its name is another result's by now.
  package func result(of id: Int64) throws(QueueFault) -> KeptResult? {
    try record { (store) throws(StoreError) in try store.result(of: id) }
  }

  /// Removes a result whose job is forgotten.
  package func remove(_ result: KeptResult) throws(QueueFault) {
    let doomed = try unpublish(result)
    try record { (store) throws(StoreError) in
      try store.transaction { (store) throws(StoreError) in
        try store.forget(results: [result], waitingFor: ResultRoom.code)
      }
    }
    if let doomed { FolderTree.remove(doomed) }
  }

  private func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(QueueFault) -> Value {
    try QueueFault.store { () throws(StoreError) in try store.record(body) }
  }

  /// The unlink must be on disk before the row goes: else a power cut brings back a claimed file that no row
  /// knows, and the job runs again.
  private func removeClaimed(_ job: Job) throws(QueueFault) {
    unsafe unlink("\(folders.claimed)/\(job.file)")
    try QueueFault.files { () throws(SystemError) in
      try Descriptor.synchronizeFolder(folders.claimed)
    }
  }

  /// The file before its note: a note alone is nothing to a start, a file alone would become a row.
  private func removeRefused(_ job: Job) throws(QueueFault) {
    FolderTree.remove("\(folders.refused)/\(job.file)")
    unsafe unlink("\(folders.refused)/\(job.file).reason.txt")
    try QueueFault.files { () throws(SystemError) in
      try Descriptor.synchronizeFolder(folders.refused)
    }
  }

  /// Takes the result's name away at once, durably; what it is renamed to a start removes. Nil when it is gone.
  private func unpublish(_ result: KeptResult) throws(QueueFault) -> String? {
    let path = "\(folders.results)/\(result.folder)"
    let doomed = "\(folders.results)/.partial-\(result.job)-removed"
    FolderTree.remove(doomed)
    guard unsafe nnjobs_rename_noreplace(path, doomed) == 0 else {
      if errno == ENOENT { return nil }
      throw .files(SystemError(call: "remove", object: path, code: errno))
    }
    try QueueFault.files { () throws(SystemError) in
      try Descriptor.synchronizeFolder(folders.results)
    }
    return doomed
  }
}
