/// The statements that change rows, compiled once; SQLite refuses to run them for a reader.
struct WriteStatements: ~Copyable {
  let insert: Statement
  let start: Statement
  let finish: FinishStatements
  let failQueued: Statement
  let cancelQueued: Statement
  let requeue: Statement
  let resumed: Statement
  let retry: Statement
  let remove: Statement
  let waiting: WaitingStatements

  init(on connection: borrowing Connection) throws(StoreError) {
    let insert = try connection.prepare(
      """
      INSERT INTO jobs (id, name, file, uid, state, priority, submitted, finished, reason_code,
        reason_text, bytes, memory, cores, inode, modified, time_limit, disk)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
      """, to: "record a job in")
    let start = try connection.prepare(
      """
      UPDATE jobs SET state = \(JobEvent.start.sql().destination), attempts = attempts + 1,
        owner = ?2, started = ?3, granted = ?4, progress = 0, reason_code = NULL,
        reason_text = NULL
      WHERE id = ?1 AND \(JobEvent.start.sql().condition) AND \(Schema.isReady)
      RETURNING attempts
      """, to: "record the start of a job in")
    let finish = try FinishStatements(on: connection)
    let failQueued = try connection.prepare(
      """
      UPDATE jobs SET state = \(JobEvent.fail.sql(from: .queued).destination), finished = ?2,
        reason_code = ?3, reason_text = ?4, held = 0, not_before = NULL
      WHERE id = ?1 AND \(JobEvent.fail.sql(from: .queued).condition)
      """, to: "record the failure of a job in")
    let cancelQueued = try connection.prepare(
      """
      UPDATE jobs SET state = \(JobEvent.cancel.sql(from: .queued).destination), finished = ?2,
        reason_code = ?3, reason_text = ?4, held = 0, not_before = NULL
      WHERE id = ?1 AND \(JobEvent.cancel.sql(from: .queued).condition)
      """, to: "record the end of a job in")
    let requeue = try connection.prepare(
      """
      UPDATE jobs SET state = \(JobEvent.requeue.sql().destination), owner = NULL, granted = 0,
        progress = 0, forgiven = forgiven + ?3, not_before = ?4, reason_code = ?5,
        reason_text = ?6, delays = CASE WHEN ?4 IS NULL THEN delays ELSE delays + 1 END
      WHERE id = ?1 AND attempts = ?2 AND \(JobEvent.requeue.sql().condition)
      """, to: "return a job to the queue in")
    let resumed = try connection.prepare(
      """
      UPDATE jobs SET resumed = resumed + 1, resumed_from = ?3
      WHERE id = ?1 AND attempts = ?2 AND state = 'running'
      """, to: "record that a job goes on in")
    let retry = try connection.prepare(
      """
      UPDATE jobs SET state = \(JobEvent.retry.sql().destination), forgiven = attempts,
        owner = NULL, started = NULL, finished = NULL, progress = 0, reason_code = NULL,
        reason_text = NULL, result = NULL, delays = 0
      WHERE id = ? AND \(JobEvent.retry.sql().condition)
      """, to: "record the retry of a job in")
    let final = JobState.allCases.filter(\.isFinal).map { "'\($0.rawValue)'" }
    let remove = try connection.prepare(
      "DELETE FROM jobs WHERE id = ? AND state IN (\(final.joined(separator: ", ")))",
      to: "remove a job from")
    let waiting = try WaitingStatements(on: connection)
    // Owners are stored together at the end: a throw in between would leave some unset.
    self.insert = insert
    self.start = start
    self.finish = finish
    self.failQueued = failQueued
    self.cancelQueued = cancelQueued
    self.requeue = requeue
    self.resumed = resumed
    self.retry = retry
    self.remove = remove
    self.waiting = waiting
  }
}

/// One statement for each way an attempt ends.
struct FinishStatements: ~Copyable {
  let succeed: Statement
  let fail: Statement
  let cancel: Statement

  init(on connection: borrowing Connection) throws(StoreError) {
    let succeed = try Self.statement(
      .succeed, "result = ?4, bytes = ?5, progress = 1, reason_code = NULL, reason_text = NULL",
      on: connection)
    let fail = try Self.statement(.fail, "reason_code = ?4, reason_text = ?5", on: connection)
    let cancel = try Self.statement(.cancel, "reason_code = ?4, reason_text = ?5", on: connection)
    // Owners are stored together at the end: a throw in between would leave some unset.
    self.succeed = succeed
    self.fail = fail
    self.cancel = cancel
  }

  private static func statement(
    _ event: JobEvent, _ assignments: String, on connection: borrowing Connection
  ) throws(StoreError) -> Statement {
    let (destination, condition) = event.sql(from: .running)
    return try connection.prepare(
      """
      UPDATE jobs SET state = \(destination), finished = ?3, owner = NULL, granted = 0,
        \(assignments)
      WHERE id = ?1 AND attempts = ?2 AND \(condition)
      """, to: "record the end of a job in")
  }
}

extension Store {
  /// A new job in state queued; its id must be free.
  @discardableResult
  package borrowing func admit(
    _ job: NewJob, at time: Double = Store.now
  ) throws(StoreError) -> Int64 {
    try insert(job, .queued, nil, at: time)
  }

  /// A dropped file that was no valid job, as a row in state refused; gives its id.
  @discardableResult
  package borrowing func refuse(
    _ job: NewJob, because reason: JobReason, at time: Double = Store.now
  ) throws(StoreError) -> Int64 {
    try insert(job, .refused, reason, at: time)
  }

  /// queued → running, one more attempt; gives its number, or nil if the job was not queued, held or put off.
  package borrowing func start(
    _ id: Int64, owner: String, cores: Int = 1, at time: Double = Store.now
  ) throws(StoreError) -> Int? {
    try writing.start.first(
      .integer(id), .text(owner), .real(time), .integer(Int64(cores))
    ) { Int($0.integer(0)) }
  }

  /// running → the outcome's state, if `attempt` is the one that runs: ends a job once and for all.
  package borrowing func finish(
    _ id: Int64, attempt: Int, _ outcome: JobOutcome, at time: Double = Store.now
  ) throws(StoreError) -> Bool {
    let key: (Binding, Binding, Binding) = (.integer(id), .integer(Int64(attempt)), .real(time))
    switch outcome {
    case .succeeded(let result, let bytes):
      return try writing.finish.succeed.run(
        key.0, key.1, key.2, .text(result), .integer(bytes)) == 1
    case .failed(let reason):
      return try writing.finish.fail.run(
        key.0, key.1, key.2, .text(reason.code), .text(reason.text)) == 1
    case .cancelled(let reason):
      return try writing.finish.cancel.run(
        key.0, key.1, key.2, .text(reason.code), .text(reason.text)) == 1
    }
  }

  /// running → queued, if `attempt` is the one that runs; an attempt that does not count is forgiven.
  ///
  /// With a delay the job is put off: it does not start before then, and says why.
  package borrowing func requeue(
    _ id: Int64, attempt: Int, countingAttempt: Bool, delay: JobDelay? = nil
  ) throws(StoreError) -> Bool {
    try writing.requeue.run(
      .integer(id), .integer(Int64(attempt)), .integer(countingAttempt ? 0 : 1),
      .optional(delay?.until), .optional(delay?.reason.code), .optional(delay?.reason.text)) == 1
  }

  /// Notes that the running attempt goes on where another had stopped; false if that attempt does not run.
  package borrowing func resumed(
    _ id: Int64, attempt: Int, from fraction: Double
  ) throws(StoreError) -> Bool {
    try writing.resumed.run(
      .integer(id), .integer(Int64(attempt)), .real(min(1, max(0, fraction)))) == 1
  }

  /// queued → failed, as when the claimed file is gone; false if the job was not queued.
  package borrowing func failQueued(
    _ id: Int64, because reason: JobReason, at time: Double = Store.now
  ) throws(StoreError) -> Bool {
    try writing.failQueued.run(
      .integer(id), .real(time), .text(reason.code), .text(reason.text)) == 1
  }

  /// queued → cancelled; false if the job was not queued.
  package borrowing func cancelQueued(
    _ id: Int64, because reason: JobReason, at time: Double = Store.now
  ) throws(StoreError) -> Bool {
    try writing.cancelQueued.run(
      .integer(id), .real(time), .text(reason.code), .text(reason.text)) == 1
  }

  /// failed or cancelled → queued under the same id, all earlier attempts forgiven; false from another state.
  package borrowing func retry(_ id: Int64) throws(StoreError) -> Bool {
    try writing.retry.run(.integer(id)) == 1
  }

  /// Forgets a job in a final state; its id is never given again. False if it has none.
  package borrowing func remove(_ id: Int64) throws(StoreError) -> Bool {
    try writing.remove.run(.integer(id)) == 1
  }

  private borrowing func insert(
    _ job: NewJob, _ state: JobState, _ reason: JobReason?, at time: Double
  ) throws(StoreError) -> Int64 {
    let id = try writing.insert.first(
      .optional(job.id), .text(job.name), .text(job.file), .integer(Int64(job.uid)),
      .text(state.rawValue), .integer(Int64(job.priority)), .real(time),
      state.isFinal ? .real(time) : .null, .optional(reason?.code), .optional(reason?.text),
      .integer(job.bytes), .integer(job.memory), .integer(Int64(job.cores)),
      .integer(Int64(bitPattern: job.inode)), .integer(job.modified), .optional(job.timeLimit),
      .integer(job.disk)
    ) { $0.integer(0) }
    guard let id else {
      throw StoreError(.other, "record a job in", file, reason: "SQLite gave no id")
    }
    return id
  }
}
