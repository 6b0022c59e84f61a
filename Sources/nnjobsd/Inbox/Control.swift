import Formats
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
  ///
  /// The file goes last: what a crash interrupts is asked again at the next start.
  func carryOut(_ request: ControlRequest, _ scheduler: Scheduler) throws(QueueFault) {
    let path = "\(folders.jobs)/\(request.fileName)"
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    let answer = try answer(request, from: status.st_uid, scheduler)
    // Of a job that is not there, or not any more, there is nothing to be kept.
    if try record({ (store) throws(StoreError) in try store.job(request.id) }) != nil {
      JobLog(folders).note(
        request.id, "\(request.verb.rawValue), asked by user \(status.st_uid): \(answer)")
    }
    unsafe unlink(path)
    // Whoever reads this may ask again at once.
    Log.line("\(request.verb.rawValue) \(request.id), user \(status.st_uid): \(answer)")
  }

  private func answer(
    _ request: ControlRequest, from uid: UInt32, _ scheduler: Scheduler
  ) throws(QueueFault) -> String {
    let id = request.id
    guard let job = try record({ (store) throws(StoreError) in try store.job(id) }) else {
      return try answer(aboutForgotten: request, from: uid)
    }
    guard uid == 0 || uid == job.uid else { return "not permitted: it is user \(job.uid)'s" }
    let otherwise = "it is \(job.state.rawValue)"
    switch request.verb {
    case .cancel:
      if try cancelQueued(job, by: uid) { return "cancelled" }
      scheduler.cancel(id)
      return job.state == .running ? "told to stop" : otherwise
    case .retry:
      let isQueued = try record { (store) throws(StoreError) in try store.retry(id) }
      return isQueued ? "queued again" : otherwise
    case .hold:
      let isHeld = try record { (store) throws(StoreError) in try store.hold(id) }
      return isHeld ? "held" : job.isHeld ? "it is held already" : otherwise
    case .release:
      let isReleased = try record { (store) throws(StoreError) in try store.release(id) }
      return isReleased ? "released" : "\(otherwise) and waits for nobody's release"
    case .remove, .removeResult:
      switch try JobRemoval(folders: folders, store: store)
        .remove(job, withResult: request.verb == .removeResult)
      {
      case .removed: return "removed"
      case .notEnded: return otherwise
      case .stays(let error): return "not removed: \(error.sentence)"
      }
    }
  }

  /// Of a job that is forgotten its result may be left, and its user may have that removed.
  private func answer(
    aboutForgotten request: ControlRequest, from uid: UInt32
  ) throws(QueueFault) -> String {
    let removal = JobRemoval(folders: folders, store: store)
    guard request.verb == .removeResult, let result = try removal.result(of: request.id) else {
      return "no such job"
    }
    guard uid == 0 || uid == result.uid else {
      return "not permitted: its result is user \(result.uid)'s"
    }
    if case .stays(let error) = try removal.remove(result) {
      return "not removed: \(error.sentence)"
    }
    return "its result is removed"
  }

  private func cancelQueued(_ job: Job, by uid: UInt32) throws(QueueFault) -> Bool {
    let reason = JobReason(
      code: JobError.Code.cancelled.rawValue,
      text: "\(job.name) was cancelled by user \(uid) before it started")
    let isCancelled = try record { (store) throws(StoreError) in
      try store.cancelQueued(job.id, because: reason)
    }
    if isCancelled {
      PartialFolders(in: folders.results).remove(of: job.id, upTo: job.attempts)
    }
    return isCancelled
  }

  private func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(QueueFault) -> Value {
    try QueueFault.store { () throws(StoreError) in try store.record(body) }
  }
}
