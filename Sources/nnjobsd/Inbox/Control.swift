import Glibc
import Processing
import Store

/// Carries out what control files ask for, when their owner may ask for it.
struct Control: Sendable {
  /// The queue's folders.
  let folders: QueueFolders
  /// The queue's store.
  let store: JobStore

  /// Carries out one request and removes its file: twice the same request is as once.
  func carryOut(_ request: ControlRequest, _ scheduler: Scheduler) throws(QueueFault) {
    let path = "\(folders.jobs)/\(request.fileName)"
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    let answer = try answer(request, from: status.st_uid, scheduler)
    Log.line("\(request.verb.rawValue) \(request.id), user \(status.st_uid): \(answer)")
    unsafe unlink(path)
  }

  private func answer(
    _ request: ControlRequest, from uid: UInt32, _ scheduler: Scheduler
  ) throws(QueueFault) -> String {
    let job = try QueueFault.store { () throws(StoreError) in
      try store.record { (store) throws(StoreError) in try store.job(request.id) }
    }
    guard let job else { return "no such job" }
    guard uid == 0 || uid == job.uid else { return "not permitted: it is user \(job.uid)'s" }
    switch request.verb {
    case .cancel:
      if try cancelQueued(job, by: uid) { return "cancelled" }
      scheduler.cancel(job.id)
      return job.state == .running ? "told to stop" : "it is \(job.state.rawValue)"
    case .retry:
      let isQueued = try QueueFault.store { () throws(StoreError) in
        try store.record { (store) throws(StoreError) in try store.retry(job.id) }
      }
      return isQueued ? "queued again" : "it is \(job.state.rawValue)"
    }
  }

  private func cancelQueued(_ job: Job, by uid: UInt32) throws(QueueFault) -> Bool {
    let reason = JobReason(
      code: JobError.Code.cancelled.rawValue,
      text: "\(job.name) was cancelled by user \(uid) before it started")
    return try QueueFault.store { () throws(StoreError) in
      try store.record { (store) throws(StoreError) in
        try store.cancelQueued(job.id, because: reason)
      }
    }
  }
}
