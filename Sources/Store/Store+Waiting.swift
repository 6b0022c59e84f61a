/// The statements that make queued jobs wait or let them go on, compiled once.
struct WaitingStatements: ~Copyable {
  let hold: Statement
  let release: Statement
  let putOff: Statement
  let letGoOn: Statement

  init(on connection: borrowing Connection) throws(StoreError) {
    let hold = try connection.prepare(
      "UPDATE jobs SET held = 1 WHERE id = ? AND state = 'queued' AND held = 0",
      to: "hold a job in")
    let release = try connection.prepare(
      """
      UPDATE jobs SET held = 0, not_before = NULL, delays = 0, reason_code = NULL,
        reason_text = NULL
      WHERE id = ? AND state = 'queued' AND (held = 1 OR not_before IS NOT NULL)
      """, to: "release a job in")
    let putOff = try connection.prepare(
      """
      UPDATE jobs SET not_before = ?2, delays = delays + 1, reason_code = ?3, reason_text = ?4
      WHERE id = ?1 AND \(Schema.isReady)
      """, to: "put off a job in")
    // The reason stays: it is why the job has not run yet.
    let letGoOn = try connection.prepare(
      """
      UPDATE jobs SET not_before = NULL
      WHERE not_before IS NOT NULL AND (not_before <= ?1 OR not_before > ?2)
      """, to: "let jobs go on in")
    // Owners are stored together at the end: a throw in between would leave some unset.
    self.hold = hold
    self.release = release
    self.putOff = putOff
    self.letGoOn = letGoOn
  }
}

extension Store {
  /// Keeps a queued job from starting until it is released; false if it is not queued, or held already.
  package borrowing func hold(_ id: Int64) throws(StoreError) -> Bool {
    try writing.waiting.hold.run(.integer(id)) == 1
  }

  /// Lets a queued job start that was held or put off; false if it was neither.
  package borrowing func release(_ id: Int64) throws(StoreError) -> Bool {
    try writing.waiting.release.run(.integer(id)) == 1
  }

  /// Keeps a queued job from starting for a while; false if it is not ready to start.
  package borrowing func putOff(_ id: Int64, _ delay: JobDelay) throws(StoreError) -> Bool {
    try writing.waiting.putOff.run(
      .integer(id), .real(delay.until), .text(delay.reason.code), .text(delay.reason.text)) == 1
  }

  /// Lets every job go on whose delay is over; gives how many.
  ///
  /// One that waits for longer than any delay lasts was put off before the clock was set back, and goes on too.
  package borrowing func letGoOn(at now: Double = Store.now) throws(StoreError) -> Int {
    try writing.waiting.letGoOn.run(.real(now), .real(now + JobDelay.longest))
  }

  /// When the first of the jobs that are put off may go on, Unix seconds; nil when none is.
  package borrowing func nextDelayEnd() throws(StoreError) -> Double? {
    try reading.nextDelayEnd.first(read: { $0.realIfAny(0) }) ?? nil
  }
}
