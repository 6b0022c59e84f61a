import Formats
import Processing
import Store

/// Removes what has been kept long enough, a job at a time, so that the inbox's queue is free in between.
final class RetentionService: Sendable {
  /// Seconds between two looks at what is due.
  static let interval = 60.0
  /// How many jobs one look takes on.
  private static let batch = 256

  private let rule: Retention
  private let folders: QueueFolders
  private let store: JobStore
  private let inbox: InboxService
  private let leave: @Sendable (QueueFault) -> Void

  init(
    _ rule: Retention, folders: QueueFolders, store: JobStore, inbox: InboxService,
    leave: @escaping @Sendable (QueueFault) -> Void
  ) {
    self.rule = rule
    self.folders = folders
    self.store = store
    self.inbox = inbox
    self.leave = leave
  }

  /// Looks for what is due, and removes it on the inbox's queue, where requests about jobs are carried out too.
  func look() {
    let due = try? store.record { (store) throws(StoreError) in
      try rule.due(in: store, limit: RetentionService.batch)
    }
    for job in due ?? [] { inbox.perform { [self] in remove(job) } }
    // What is left of a long list need not wait for the next minute.
    if due?.count == RetentionService.batch { inbox.perform { [self] in look() } }
  }

  private func remove(_ job: Job) {
    do throws(QueueFault) {
      // It may have been retried since, and ended again.
      let current = try QueueFault.store { () throws(StoreError) in
        try store.record { (store) throws(StoreError) in try store.job(job.id) }
      }
      guard let current, current.finished == job.finished else { return }
      switch try JobRemoval(folders: folders, store: store)
        .remove(current, withResult: !rule.keepsResults)
      {
      case .removed: Log.line("clean \(job.id) \(job.name): kept long enough")
      case .notEnded: break
      case .stays(let error): Log.line("clean \(job.id) \(job.name): not yet: \(error.sentence)")
      }
    } catch { leave(error) }
  }
}
