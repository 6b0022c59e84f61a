package import Store

/// Finds the job that starts next, and puts off those that have no room on the disk.
///
/// By priority; among users of one priority by their shares (`FairOrder`); a user's own by id. The first one that lacks
/// cores or memory is waited for and not overtaken: what runs will end. Disk may never come back, so a job without room
/// is put off and lets the others pass; so is one whose user's results would take more than they may. A user who runs
/// as many as they may is passed over.
package struct JobChoice: Sendable {
  /// What to do now.
  package enum Choice: Sendable {
    /// Start this job.
    case start(Job)
    /// Nothing can start before something ends or comes.
    case nothing
    /// Jobs were put off; look again.
    case again
  }

  /// A running job as it counts here.
  package struct Running: Sendable {
    /// Its row as it was before its start.
    package let job: Job
    /// The attempt that runs.
    package let attempt: Int
    /// What it was given, since when.
    package let use: FairOrder.Use

    /// Describes a running job.
    package init(job: Job, attempt: Int, use: FairOrder.Use) {
      self.job = job
      self.attempt = attempt
      self.use = use
    }
  }

  /// How many of a user's jobs are put off together, with one fsync.
  private static let batch = 256

  private let store: JobStore
  private let limits: QueueLimits
  private let results: String

  /// Chooses for one queue.
  package init(store: JobStore, limits: QueueLimits, results: String) {
    self.store = store
    self.limits = limits
    self.results = results
  }

  /// The next job, given what runs and what is left.
  package func next(
    _ fair: FairOrder, running: [Running], reservation: Reservation, at now: Double = Store.now
  ) throws(StoreError) -> Choice {
    var priority = Int.max
    while true {
      let heads = try store.record { (store) throws(StoreError) in
        try store.readyHeads(atMost: priority)
      }
      guard let first = heads.first else { return .nothing }
      for job in fair.order(heads, running: running.map(\.use), at: now) {
        guard limits.mayRun(job.uid, besides: running.count { $0.job.uid == job.uid }) else {
          continue
        }
        // Before memory: nobody waits behind a job that its user keeps from starting.
        if let room = try resultsLacking(for: job) {
          try putOff(job, at: now) { room.holds($0) ? nil : room.reason(for: $0) }
          return .again
        }
        guard reservation.fits(memory: Int(job.memory)) else { return .nothing }
        if let room = lacking(for: job, running) {
          try putOff(job, at: now) { job in
            room.holds(job, keptIn: results) ? nil : room.reason(for: job, in: results)
          }
          return .again
        }
        return .start(job)
      }
      priority = first.priority - 1
    }
  }

  /// The room that is too small for a job; nil when it is not, or cannot be known: then writing will tell.
  private func lacking(for job: Job, _ running: [Running]) -> DiskRoom? {
    let promises = running.map { DiskRoom.Promise(to: $0.job, attempt: $0.attempt) }
    guard
      let room = try? DiskRoom(of: results, promises: promises, for: Int(job.disk)),
      !room.holds(job, keptIn: results)
    else { return nil }
    return room
  }

  /// The room that a user's results leave a job, where it is too small; results that are gone count no more.
  private func resultsLacking(for job: Job) throws(StoreError) -> ResultRoom? {
    try store.record { (store) throws(StoreError) -> ResultRoom? in
      guard
        let (room, gone) = try ResultRoom.lacking(for: job, limits, in: store, results: results)
      else { return nil }
      if !gone.isEmpty {
        try store.transaction { (store) throws(StoreError) in
          try store.forget(results: gone, waitingFor: ResultRoom.code)
        }
      }
      return room.holds(job) ? nil : room
    }
  }

  /// Puts off a job and those of the same user behind it that wait for the same: `reason` is nil for those that do not.
  private func putOff(
    _ job: Job, at now: Double, _ reason: (Job) -> JobReason?
  ) throws(StoreError) {
    try store.record { (store) throws(StoreError) in
      try store.transaction { (store) throws(StoreError) in
        let behind = try store.ready(
          of: job.uid, priority: job.priority, limit: JobChoice.batch)
        for job in behind {
          guard let reason = reason(job) else { continue }
          let delay = JobDelay(
            after: job.delays, longest: JobDelay.longestForDisk, at: now, because: reason)
          _ = try store.putOff(job.id, delay)
        }
      }
    }
  }
}

extension JobDelay {
  /// Seconds that no job is put off for longer than for want of disk: somebody may make room at any time.
  package static let longestForDisk = 60.0
}
