/// A second connection for numbers that may be lost in a power cut: `synchronous` is NORMAL here and only here.
///
/// In WAL mode NORMAL leaves out the fsync at commit but not those around a checkpoint, so earlier commits
/// stay as durable as FULL made them, and the next FULL commit's fsync of the log covers these too.
/// Switching `synchronous` on the one connection would do as well, until switching back failed once.
struct ProgressConnection: ~Copyable {
  let connection: Connection
  let update: Statement

  init(opening file: String) throws(StoreError) {
    let connection = try Connection(opening: file, .readWrite)
    try connection.keepWriteAheadLog()
    try connection.execute("PRAGMA synchronous = NORMAL", to: "open")
    let update = try connection.prepare(
      "UPDATE jobs SET progress = ?3 WHERE id = ?1 AND attempts = ?2 AND state = 'running'",
      to: "record the progress of a job in")
    self.connection = connection
    self.update = update
  }
}

extension Store {
  /// How much of a running attempt is done, 0…1, without an fsync; false if that attempt does not run.
  ///
  /// Not inside `transaction`, whose write lock it would wait for.
  package borrowing func progress(
    _ id: Int64, attempt: Int, _ fraction: Double
  ) throws(StoreError) -> Bool {
    precondition(!connection.isInTransaction, "progress is recorded outside of transactions")
    switch progressing {
    case .some(let own):
      return try own.update.run(
        .integer(id), .integer(Int64(attempt)), .real(min(1, max(0, fraction)))) == 1
    case .none:
      preconditionFailure("progress is recorded by the daemon only")
    }
  }
}
