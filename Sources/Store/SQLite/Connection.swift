private import CSQLite
private import Glibc

/// An open SQLite database, closed once when its owner goes; belongs to one queue.
@safe struct Connection: ~Copyable {
  /// How a database is opened.
  enum Mode {
    /// Makes the file when there is none.
    case create
    /// Reads and writes a file that is there.
    case readWrite
    /// Reads only, under the locks of the write-ahead log.
    case readOnly
    /// Reads only, without locks and without the write-ahead log: right only while nobody writes.
    case immutable
  }

  private let handle: OpaquePointer
  /// The database's file, for messages.
  let file: String

  /// Opens the file; SQLite reads nothing of it before the first statement.
  init(opening file: String, _ mode: Mode, busyMilliseconds: Int32 = 10_000) throws(StoreError) {
    var opened: OpaquePointer?
    // NOMUTEX: the connection is noncopyable and belongs to one queue, so SQLite need not lock it.
    let flags =
      switch mode {
      case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
      case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
      case .readOnly: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
      case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
      }
    let name = mode == .immutable ? Self.immutableURI(of: file) : file
    let code = unsafe sqlite3_open_v2(name, &opened, flags, nil)
    guard let opened = unsafe opened else {
      throw StoreError(code: SQLITE_NOMEM, message: "out of memory", "open", file)
    }
    guard code == SQLITE_OK else {
      let error = unsafe Self.failure(of: opened, "open", file)
      unsafe sqlite3_close_v2(opened)
      throw error
    }
    unsafe handle = opened
    self.file = file
    unsafe sqlite3_extended_result_codes(handle, 1)
    unsafe sqlite3_busy_timeout(handle, busyMilliseconds)
  }

  // close_v2 waits for statements that are not finalized yet, so the order in which owners go is free.
  deinit { unsafe sqlite3_close_v2(handle) }

  /// Runs statements that give no rows anyone wants.
  borrowing func execute(_ sql: String, to operation: String) throws(StoreError) {
    guard unsafe sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
      throw unsafe Self.failure(of: handle, operation, file)
    }
  }

  /// Compiles one statement, to be kept and used again; `operation` is for messages, as `record the start of a job in`.
  borrowing func prepare(_ sql: String, to operation: String) throws(StoreError) -> Statement {
    var prepared: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(
      handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let prepared = unsafe prepared else {
      throw unsafe Self.failure(of: handle, operation, file)
    }
    return unsafe Statement(owning: prepared, file: file, operation: operation)
  }

  /// Keeps `-wal` (emptied) and `-shm` after the last close: readers who may not write the folder need them.
  borrowing func keepWriteAheadLog() throws(StoreError) {
    var keep: Int32 = 1
    let code = unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep)
    guard code == SQLITE_OK else { throw unsafe Self.failure(of: handle, "open", file) }
    // With a limit the log is emptied at the last close, and cut back to 16 MiB after a great batch.
    try execute("PRAGMA journal_size_limit = 16777216", to: "open")
    // Instead of SQLite's own hook, which passes over a failed fsync: what a commit needs of the log may be lost by it.
    unsafe _ = sqlite3_wal_hook(
      handle,
      { _, database, name, pages in
        guard pages >= Connection.longestLog else { return SQLITE_OK }
        let code = unsafe sqlite3_wal_checkpoint_v2(
          database, name, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        // Readers, or a full disk, put it off to the next commit.
        return code & 0xFF == SQLITE_IOERR ? code : SQLITE_OK
      }, nil)
  }

  /// Pages in the log from which on each commit moves them into the file, as SQLite would by itself.
  private static let longestLog: Int32 = 1000

  /// Whether a `BEGIN` waits for its `COMMIT`.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  private static func failure(
    of handle: OpaquePointer, _ operation: String, _ file: String
  ) -> StoreError {
    let message = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) }
    return unsafe StoreError(
      code: sqlite3_extended_errcode(handle), system: sqlite3_system_errno(handle),
      message: message ?? "no message", operation, file)
  }

  /// `file:…?immutable=1`; everything but letters, digits and `/._-` is escaped.
  private static func immutableURI(of file: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var uri = Array("file:".utf8)
    for byte in file.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "-"):
        uri.append(byte)
      default:
        uri += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: uri + Array("?immutable=1".utf8), as: UTF8.self)
  }
}
