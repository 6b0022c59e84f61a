private import CSQLite
private import Glibc

extension Store {
  /// Opens the daemon's connection: never starts empty over a file that is there.
  static func openForWriting(_ file: String) throws(StoreError) -> Connection {
    guard !exists(file + ".rebuilt") else {
      throw StoreError(
        .unreadable, "open", file, reason: "its rebuilding was interrupted",
        remedy: "run `nnjobs fsck --rebuild`, which finishes it")
    }
    if !exists(file) { try create(file) }
    let connection = try Connection(opening: file, .readWrite)
    try connection.requireOwnSchema()
    try connection.requireSoundPages(thorough: false)
    try connection.execute("PRAGMA journal_mode = WAL", to: "open")
    try connection.keepWriteAheadLog()
    // Opening made the log. SQLite fsyncs the folder too, when it first writes to the log, but goes on where that fails.
    try synchronizeFolder(of: file)
    // FULL: one fdatasync at each commit.
    try connection.execute(
      """
      PRAGMA synchronous = FULL;
      PRAGMA cell_size_check = ON;
      PRAGMA trusted_schema = OFF;
      """, to: "open")
    try connection.migrate()
    return connection
  }

  /// Opens a reader's connection; it needs the folder's `-wal` and `-shm`, or nobody who writes.
  static func openForReading(
    _ file: String, daemonIsRunning: Bool
  ) throws(StoreError) -> Connection {
    guard exists(file) else {
      throw StoreError(
        .missing, "open", file, reason: "there is none yet",
        remedy: "the daemon makes it when it starts")
    }
    do throws(StoreError) {
      return try reader(file, .readOnly)
    } catch {
      // A reader who may not write the folder cannot make the `-shm` that WAL needs. Without a
      // daemon and with nothing in the log, the file alone is the whole truth.
      guard error.kind == .notPermitted, !exists(file + "-shm") else { throw error }
      guard !daemonIsRunning, size(file + "-wal") == 0 else {
        throw StoreError(
          .notPermitted, "open", file, reason: "\(file)-shm is missing, and may not be made by you",
          remedy: "restart the daemon, which makes it")
      }
      return try reader(file, .immutable)
    }
  }

  private static func reader(
    _ file: String, _ mode: Connection.Mode
  ) throws(StoreError) -> Connection {
    let connection = try Connection(opening: file, mode)
    try connection.requireOwnSchema()
    let version = try connection.schemaVersion()
    guard version == Schema.current else {
      throw StoreError(
        .olderSchema, "read", file,
        reason: "its version is \(version), and this nnjobs reads version \(Schema.current)",
        remedy: "restart the daemon, which brings it up to date")
    }
    return connection
  }

  /// Makes a whole, empty store under another name and renames it, so that a store is never half made.
  private static func create(_ file: String) throws(StoreError) {
    // SQLite would replay a log that was left alone into the new file.
    guard size(file + "-wal") == 0 else {
      throw StoreError(
        .unreadable, "make", file, reason: "its write-ahead log \(file)-wal is there without it",
        remedy: "put the store back, or move the log away to start empty")
    }
    let new = file + ".new"
    // What is left of an earlier try, which never became a store.
    for leftover in [new, new + "-wal", new + "-shm", new + "-journal"] {
      unsafe _ = unlink(leftover)
    }
    try fill(new)
    try synchronize(new, O_RDWR)
    guard unsafe rename(new, file) == 0 else { throw failure("make", file) }
  }

  private static func fill(_ file: String) throws(StoreError) {
    let connection = try Connection(opening: file, .create)
    // What a crash leaves half made is never renamed, and the whole is fsynced once at the end.
    try connection.execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", to: "make")
    try connection.migrate()
    try connection.execute("PRAGMA journal_mode = WAL", to: "make")
  }

  private static func synchronizeFolder(of file: String) throws(StoreError) {
    let folder =
      file.lastIndex(of: "/").map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    try synchronize(folder, O_RDONLY | O_DIRECTORY)
  }

  private static func synchronize(_ path: String, _ flags: Int32) throws(StoreError) {
    let descriptor = unsafe open(path, flags | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("make", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("make", path) }
  }

  private static func failure(_ operation: String, _ file: String) -> StoreError {
    let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
    return StoreError(.inputOutput, operation, file, reason: reason)
  }

  /// Whether something of that name is there; a symbolic link to nothing counts.
  private static func exists(_ file: String) -> Bool {
    var status = stat()
    return unsafe lstat(file, &status) == 0 || errno != ENOENT
  }

  /// The file's size, 0 when it is not there.
  private static func size(_ file: String) -> Int {
    var status = stat()
    return unsafe stat(file, &status) == 0 ? Int(status.st_size) : 0
  }
}
