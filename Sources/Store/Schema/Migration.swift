extension Connection {
  /// PRAGMA user_version: the schema's version, 0 for an empty database.
  borrowing func schemaVersion() throws(StoreError) -> Int {
    Int(try pragma("user_version"))
  }

  /// Refuses a database that another program made, or a newer version of this one.
  borrowing func requireOwnSchema() throws(StoreError) {
    // The first read: here a file that is no database is found out.
    let application = try pragma("application_id")
    let version = try schemaVersion()
    guard application == Schema.application, version > 0 else {
      throw StoreError(
        .unreadable, "open", file, reason: "it is a database, but not one of nnjobs",
        remedy: "move it away if it is not needed")
    }
    guard version <= Schema.current else {
      throw StoreError(
        .newerSchema, "open", file,
        reason: "its version is \(version), and this nnjobs knows versions up to \(Schema.current)",
        remedy: "install the nnjobs that wrote it, or a newer one")
    }
  }

  /// Reads the whole file and refuses it when a page is damaged; `thorough` also compares rows with indexes.
  borrowing func requireSoundPages(thorough: Bool) throws(StoreError) {
    let check = thorough ? "integrity_check" : "quick_check"
    let findings = try prepare("PRAGMA \(check)(3)", to: "open").all(read: { $0.text(0) })
    guard findings == ["ok"] else {
      throw StoreError(
        .unreadable, "open", file, reason: "it is damaged: " + findings.joined(separator: "; "),
        remedy: StoreError.remedyOfDamage)
    }
  }

  /// Brings the schema up to `versions`, each version in a transaction of its own.
  borrowing func migrate(through migrations: [String] = Schema.migrations) throws(StoreError) {
    var version = try schemaVersion()
    while version < migrations.count {
      let script = migrations[version]
      version += 1
      try execute(
        """
        BEGIN IMMEDIATE;
        \(script)
        PRAGMA application_id = \(Schema.application);
        PRAGMA user_version = \(version);
        """, orUndoTo: "bring to version \(version)")
      try execute("COMMIT", orUndoTo: "bring to version \(version)")
    }
  }

  private borrowing func execute(_ sql: String, orUndoTo operation: String) throws(StoreError) {
    do throws(StoreError) {
      try execute(sql, to: operation)
    } catch {
      // It may have been undone already; the first failure is the one to tell.
      try? execute("ROLLBACK", to: operation)
      throw error
    }
  }

  /// A PRAGMA that gives one number.
  borrowing func pragma(_ name: String) throws(StoreError) -> Int64 {
    let statement = try prepare("PRAGMA \(name)", to: "open")
    return try statement.first(read: { $0.integer(0) }) ?? 0
  }
}
