private import CSQLite

/// A value bound to a `?` of a statement.
enum Binding {
  /// An INTEGER.
  case integer(Int64)
  /// A REAL.
  case real(Double)
  /// A TEXT.
  case text(String)
  /// NULL.
  case null

  /// An INTEGER or NULL.
  static func optional(_ value: Int64?) -> Binding { value.map { .integer($0) } ?? .null }
  /// A REAL or NULL.
  static func optional(_ value: Double?) -> Binding { value.map { .real($0) } ?? .null }
  /// A TEXT or NULL.
  static func optional(_ value: String?) -> Binding { value.map { .text($0) } ?? .null }
}

/// A compiled statement, kept and run again and again; finalized once when its owner goes.
@safe struct Statement: ~Copyable {
  private let handle: OpaquePointer
  private let file: String
  private let operation: String

  /// Takes over a prepared statement.
  @unsafe init(owning handle: OpaquePointer, file: String, operation: String) {
    unsafe self.handle = handle
    self.file = file
    self.operation = operation
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Runs it to its end and gives how many rows it changed.
  @discardableResult
  borrowing func run(_ values: Binding...) throws(StoreError) -> Int {
    try bind(values)
    defer { reset() }
    while try step() {}
    return Int(unsafe sqlite3_changes64(sqlite3_db_handle(handle)))
  }

  /// Runs it to its end and gives its first row as `read` sees it.
  borrowing func first<Value>(
    _ values: Binding..., read: (borrowing Statement) throws(StoreError) -> Value
  ) throws(StoreError) -> Value? {
    try bind(values)
    defer { reset() }
    guard try step() else { return nil }
    let value = try read(self)
    while try step() {}
    return value
  }

  /// Runs it and gives every row as `read` sees it.
  borrowing func all<Value>(
    _ values: [Binding] = [], read: (borrowing Statement) throws(StoreError) -> Value
  ) throws(StoreError) -> [Value] {
    try bind(values)
    defer { reset() }
    var rows: [Value] = []
    while try step() { rows.append(try read(self)) }
    return rows
  }

  // MARK: The current row, columns from 0

  /// Whether the column is NULL.
  borrowing func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  /// An INTEGER column, 0 for NULL.
  borrowing func integer(_ column: Int32) -> Int64 {
    unsafe sqlite3_column_int64(handle, column)
  }

  /// A REAL column, 0 for NULL.
  borrowing func real(_ column: Int32) -> Double {
    unsafe sqlite3_column_double(handle, column)
  }

  /// A REAL column that may be NULL.
  borrowing func realIfAny(_ column: Int32) -> Double? {
    isNull(column) ? nil : real(column)
  }

  /// A TEXT column, empty for NULL; bytes that are no UTF-8 are replaced.
  borrowing func text(_ column: Int32) -> String { textIfAny(column) ?? "" }

  /// A TEXT column that may be NULL.
  borrowing func textIfAny(_ column: Int32) -> String? {
    // The text is valid until the next step, and copied before it.
    guard let bytes = unsafe sqlite3_column_text(handle, column) else { return nil }
    return unsafe String(
      decoding: UnsafeBufferPointer(
        start: bytes, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
  }

  /// A row that the schema does not allow: someone else wrote it, or the file is damaged.
  borrowing func unreadable(_ reason: String) -> StoreError {
    StoreError(
      .unreadable, operation, file, reason: reason,
      remedy: StoreError.remedyOfDamage)
  }

  // MARK: Running

  private borrowing func bind(_ values: [Binding]) throws(StoreError) {
    for (offset, value) in values.enumerated() {
      let index = Int32(offset + 1)
      let code =
        switch value {
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number): unsafe sqlite3_bind_double(handle, index, number)
        case .text(let text):
          unsafe sqlite3_bind_text(
            handle, index, text, Int32(text.utf8.count), nnjobs_sqlite_transient())
        case .null: unsafe sqlite3_bind_null(handle, index)
        }
      guard code == SQLITE_OK else { throw failure() }
    }
  }

  /// Whether there is a row.
  private borrowing func step() throws(StoreError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure()
    }
  }

  // Its result repeats the failure that step() has thrown already.
  private borrowing func reset() { unsafe _ = sqlite3_reset(handle) }

  private borrowing func failure() -> StoreError {
    let database = unsafe sqlite3_db_handle(handle)
    let message = unsafe sqlite3_errmsg(database).map { unsafe String(cString: $0) }
    return unsafe StoreError(
      code: sqlite3_extended_errcode(database), message: message ?? "no message", operation, file)
  }
}
