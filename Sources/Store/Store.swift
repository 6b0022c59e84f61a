private import Glibc

/// The queue's memory: one connection to the SQLite file that knows every job; belongs to one queue or one `Mutex`.
package struct Store: ~Copyable {
  /// Who opens it.
  package enum Access: Sendable {
    /// The daemon, the only writer; the file is made when there is none.
    case readWrite
    /// Anyone else; writes nothing.
    case readOnly(daemonIsRunning: Bool)
  }

  /// The store's file.
  package let file: String
  let connection: Connection
  let reading: ReadStatements
  let writing: WriteStatements
  /// A connection of its own for what may be lost in a power cut, so that `synchronous` is FULL for all else.
  let progressing: ProgressConnection?

  /// Opens the store; the daemon makes it when there is none, and brings an older one up to date.
  package init(opening file: String, access: Access) throws(StoreError) {
    let connection: Connection
    let progressing: ProgressConnection?
    switch access {
    case .readWrite:
      connection = try Self.openForWriting(file)
      progressing = try ProgressConnection(opening: file)
    case .readOnly(let daemonIsRunning):
      connection = try Self.openForReading(file, daemonIsRunning: daemonIsRunning)
      progressing = nil
    }
    let reading = try ReadStatements(on: connection)
    let writing = try WriteStatements(on: connection)
    self.file = file
    self.connection = connection
    self.reading = reading
    self.writing = writing
    self.progressing = progressing
  }

  /// The version of the schema that this program reads and writes.
  package static var schemaVersion: Int { Schema.current }

  /// Runs `body` as one transaction: everything it does lasts, with one fsync, or nothing does.
  package borrowing func transaction<Value>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try connection.execute("BEGIN IMMEDIATE", to: "write")
    do throws(StoreError) {
      let value = try body(self)
      try connection.execute("COMMIT", to: "write")
      return value
    } catch {
      // SQLite may have rolled back by itself; the first failure is the one to tell.
      try? connection.execute("ROLLBACK", to: "write")
      throw error
    }
  }

  /// Reads through several queries as of one moment.
  package borrowing func snapshot<Value>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try connection.execute("BEGIN", to: "read")
    do throws(StoreError) {
      let value = try body(self)
      try connection.execute("COMMIT", to: "read")
      return value
    } catch {
      try? connection.execute("ROLLBACK", to: "read")
      throw error
    }
  }

  /// Moves the log into the file and empties it, as at an orderly stop: then the file alone is the whole truth.
  ///
  /// Readers may keep some of it back; nothing is lost then, nor when it is never called.
  package borrowing func checkpoint() throws(StoreError) {
    try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)", to: "checkpoint")
  }

  /// Unix seconds now.
  package static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
