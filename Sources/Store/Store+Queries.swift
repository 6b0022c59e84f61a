/// The statements that every reader uses, compiled once.
struct ReadStatements: ~Copyable {
  let job: Statement
  let jobOfFile: Statement
  let nextQueued: Statement
  let running: Statement
  let totals: Statement
  let totalsOfUser: Statement
  let largestId: Statement
  let dataVersion: Statement
  let nextDelayEnd: Statement
  let firstReady: Statement
  let nextReadyUser: Statement
  let readyOfUser: Statement

  init(on connection: borrowing Connection) throws(StoreError) {
    let select = "SELECT \(Schema.jobColumns) FROM jobs"
    let job = try connection.prepare("\(select) WHERE id = ?", to: "read")
    // An inode is used again once its file is gone, so the newest row is meant.
    let jobOfFile = try connection.prepare(
      "\(select) WHERE inode = ? AND modified = ? ORDER BY id DESC LIMIT 1", to: "read")
    let nextQueued = try connection.prepare(
      "\(select) \(Schema.inQueueOrder) WHERE \(Schema.isReady) ORDER BY priority DESC, id LIMIT ?",
      to: "read")
    let running = try connection.prepare(
      "\(select) WHERE state = 'running' ORDER BY id", to: "read")
    let totals = try connection.prepare(
      "SELECT state, sum(count) FROM totals GROUP BY state", to: "read")
    let totalsOfUser = try connection.prepare(
      "SELECT state, count FROM totals WHERE uid = ?", to: "read")
    // sqlite_sequence remembers the largest id ever given, also of rows that are gone.
    let largestId = try connection.prepare(
      """
      SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'jobs'), 0),
        ifnull((SELECT max(id) FROM jobs), 0))
      """, to: "read")
    let dataVersion = try connection.prepare("PRAGMA data_version", to: "read")
    let nextDelayEnd = try connection.prepare(
      "SELECT min(not_before) FROM jobs WHERE not_before IS NOT NULL", to: "read")
    let ready = "\(select) INDEXED BY jobs_ready WHERE \(Schema.isReady)"
    let firstReady = try connection.prepare(
      "\(ready) AND priority <= ? ORDER BY priority DESC, uid, id LIMIT 1", to: "read")
    let nextReadyUser = try connection.prepare(
      "\(ready) AND priority = ? AND uid > ? ORDER BY uid, id LIMIT 1", to: "read")
    let readyOfUser = try connection.prepare(
      "\(ready) AND priority = ? AND uid = ? ORDER BY id LIMIT ?", to: "read")
    // Owners are stored together at the end: a throw in between would leave some unset.
    self.job = job
    self.jobOfFile = jobOfFile
    self.nextQueued = nextQueued
    self.running = running
    self.totals = totals
    self.totalsOfUser = totalsOfUser
    self.largestId = largestId
    self.dataVersion = dataVersion
    self.nextDelayEnd = nextDelayEnd
    self.firstReady = firstReady
    self.nextReadyUser = nextReadyUser
    self.readyOfUser = readyOfUser
  }
}

extension Store {
  /// The job of that id.
  package borrowing func job(_ id: Int64) throws(StoreError) -> Job? {
    try reading.job.first(.integer(id), read: Job.init(row:))
  }

  /// The newest job made of the dropped file with this inode and modification time (nanoseconds).
  package borrowing func job(inode: UInt64, modified: Int64) throws(StoreError) -> Job? {
    try reading.jobOfFile.first(
      .integer(Int64(bitPattern: inode)), .integer(modified), read: Job.init(row:))
  }

  /// The queued job that starts next.
  package borrowing func nextQueued() throws(StoreError) -> Job? {
    try nextQueued(limit: 1).first
  }

  /// The queued jobs that start next, in order.
  package borrowing func nextQueued(limit: Int) throws(StoreError) -> [Job] {
    try reading.nextQueued.all([.integer(Int64(limit))], read: Job.init(row:))
  }

  /// The first ready job of each user, of the highest priority that is `priority` or lower; by user.
  ///
  /// One search of an index for each user, however many jobs wait.
  package borrowing func readyHeads(atMost priority: Int = .max) throws(StoreError) -> [Job] {
    var heads: [Job] = []
    var head = try reading.firstReady.first(.integer(Int64(priority)), read: Job.init(row:))
    while let job = head {
      heads.append(job)
      head = try reading.nextReadyUser.first(
        .integer(Int64(job.priority)), .integer(Int64(job.uid)), read: Job.init(row:))
    }
    return heads
  }

  /// A user's ready jobs of one priority, in order.
  package borrowing func ready(
    of uid: UInt32, priority: Int, limit: Int
  ) throws(StoreError) -> [Job] {
    try reading.readyOfUser.all(
      [.integer(Int64(priority)), .integer(Int64(uid)), .integer(Int64(limit))],
      read: Job.init(row:))
  }

  /// Every running job, by id.
  package borrowing func running() throws(StoreError) -> [Job] {
    try reading.running.all(read: Job.init(row:))
  }

  /// The jobs that the filter lets through.
  package borrowing func jobs(_ filter: JobFilter) throws(StoreError) -> [Job] {
    let (sql, bindings) = filter.query
    return try connection.prepare(sql, to: "read").all(bindings, read: Job.init(row:))
  }

  /// How many jobs are in each state, of one owner or of all; every state has a number.
  package borrowing func totals(uid: UInt32? = nil) throws(StoreError) -> [JobState: Int] {
    let rows =
      if let uid {
        try reading.totalsOfUser.all([.integer(Int64(uid))], read: Self.total)
      } else {
        try reading.totals.all(read: Self.total)
      }
    var totals: [JobState: Int] = [:]
    for state in JobState.allCases { totals[state] = 0 }
    for row in rows { totals[row.state] = row.count }
    return totals
  }

  /// The largest id ever given, 0 before the first.
  package borrowing func largestId() throws(StoreError) -> Int64 {
    try reading.largestId.first(read: { $0.integer(0) }) ?? 0
  }

  /// A number that changes whenever another connection has committed: cheap to ask again and again.
  package borrowing func dataVersion() throws(StoreError) -> Int64 {
    try reading.dataVersion.first(read: { $0.integer(0) }) ?? 0
  }

  /// Reads the whole file and throws when any page, row or index is damaged.
  package borrowing func check() throws(StoreError) {
    try connection.requireSoundPages(thorough: true)
  }

  private static func total(
    _ row: borrowing Statement
  ) throws(StoreError) -> (state: JobState, count: Int) {
    (try row.state(0), Int(row.integer(1)))
  }
}

extension Job {
  /// Reads `Schema.jobColumns`.
  init(row: borrowing Statement) throws(StoreError) {
    self.init(
      id: row.integer(0), name: row.text(1), file: row.text(2),
      uid: UInt32(truncatingIfNeeded: row.integer(3)), state: try row.state(4),
      priority: Int(row.integer(5)), submitted: row.real(6), started: row.realIfAny(7),
      finished: row.realIfAny(8), attempts: Int(row.integer(9)),
      forgivenAttempts: Int(row.integer(10)), owner: row.textIfAny(11),
      reasonCode: row.textIfAny(12), reasonText: row.textIfAny(13), result: row.textIfAny(14),
      bytes: row.integer(15), memory: row.integer(16), cores: Int(row.integer(17)),
      progress: row.real(18), inode: UInt64(bitPattern: row.integer(19)),
      modified: row.integer(20), isHeld: row.integer(21) != 0, notBefore: row.realIfAny(22),
      delays: Int(row.integer(23)), timeLimit: row.realIfAny(24), disk: row.integer(25),
      grantedCores: Int(row.integer(26)), resumptions: Int(row.integer(27)),
      resumedFrom: row.realIfAny(28))
  }
}

extension Statement {
  /// A column that names a state.
  borrowing func state(_ column: Int32) throws(StoreError) -> JobState {
    let name = text(column)
    guard let state = JobState(rawValue: name) else { throw unreadable("no state “\(name)”") }
    return state
  }
}
