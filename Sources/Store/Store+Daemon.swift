/// What the daemon notes for readers beside jobs: how much users have had, and what it was told.
extension Store {
  /// What each user has had lately.
  package borrowing func shares() throws(StoreError) -> [UInt32: UserShare] {
    let rows = try connection.prepare("SELECT uid, core_seconds, as_of FROM shares", to: "read")
      .all(read: { row in
        (
          UInt32(truncatingIfNeeded: row.integer(0)),
          UserShare(coreSeconds: row.real(1), asOf: row.real(2))
        )
      })
    return Dictionary(rows, uniquingKeysWith: { $1 })
  }

  /// Notes what users have had; once it counts for less than a core-second it is forgotten.
  package borrowing func note(
    shares: [UInt32: UserShare], at time: Double = Store.now
  ) throws(StoreError) {
    try transaction { store throws(StoreError) in
      let note = try store.connection.prepare(
        """
        INSERT INTO shares VALUES (?1, ?2, ?3)
          ON CONFLICT DO UPDATE SET core_seconds = ?2, as_of = ?3
        """, to: "note a user's share in")
      let forget = try store.connection.prepare(
        "DELETE FROM shares WHERE uid = ?", to: "note a user's share in")
      for (uid, share) in shares {
        if share.coreSeconds(at: time) < 1 {
          try forget.run(.integer(Int64(uid)))
        } else {
          try note.run(.integer(Int64(uid)), .real(share.coreSeconds), .real(share.asOf))
        }
      }
    }
  }

  /// What the daemon that serves the queue, or served it last, was told and found, by name.
  package borrowing func settings() throws(StoreError) -> [String: String] {
    let rows = try connection.prepare("SELECT name, value FROM settings", to: "read")
      .all(read: { row in (row.text(0), row.text(1)) })
    return Dictionary(rows, uniquingKeysWith: { $1 })
  }

  /// Notes what this daemon was told and found, in place of what was there.
  package borrowing func note(settings: [String: String]) throws(StoreError) {
    try transaction { store throws(StoreError) in
      try store.connection.execute("DELETE FROM settings", to: "note the settings in")
      let note = try store.connection.prepare(
        "INSERT INTO settings VALUES (?, ?)", to: "note the settings in")
      for (name, value) in settings { try note.run(.text(name), .text(value)) }
    }
  }
}
