extension Store {
  /// Copies into this new, empty store every row of the store at `file` that can still be read; gives how many.
  ///
  /// `file` is a copy with its log beside it: opening it replays the log. What is damaged is left out, row by row.
  /// Nothing is fsynced on the way: the caller does that with the whole file at the end.
  package borrowing func salvage(from file: String) throws(StoreError) -> Int {
    let attach = try connection.prepare("ATTACH ? AS old", to: "salvage")
    guard (try? attach.run(.text(file))) != nil else { return 0 }
    // A transaction of its own for each row: an I/O error in the old store would undo a common one.
    try connection.execute("PRAGMA main.synchronous = OFF", to: "salvage")
    defer {
      try? connection.execute("DETACH old; PRAGMA main.synchronous = FULL", to: "salvage")
    }
    guard let columns = try? commonColumns(), columns.contains("id") else { return 0 }
    let list = columns.joined(separator: ", ")
    let states = JobState.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    let copy = try connection.prepare(
      """
      INSERT INTO main.jobs (\(list)) SELECT \(list) FROM old.jobs NOT INDEXED
      WHERE id = ? AND id > 0 AND state IN (\(states))
      """, to: "salvage")
    // From both ends towards the damage; a row that breaks a rule of the schema stays behind.
    var count = 0
    var seen: Set<Int64> = []
    for direction in ["ASC", "DESC"] {
      guard
        let ids = try? connection.prepare(
          "SELECT id FROM old.jobs NOT INDEXED ORDER BY id \(direction)", to: "salvage")
      else { break }
      var found: [Int64] = []
      _ = try? ids.all(read: { row throws(StoreError) in found.append(row.integer(0)) })
      for id in found where seen.insert(id).inserted {
        if (try? copy.run(.integer(id))) == 1 { count += 1 }
      }
    }
    // What is damaged of them is given back by `results/` itself, at the worst as nobody's.
    if let results = try? connection.prepare(
      """
      INSERT OR IGNORE INTO main.results SELECT folder, job, uid, bytes FROM old.results
      WHERE bytes >= 0
      """, to: "salvage")
    {
      _ = try? results.run()
    }
    if let seq = try? connection.prepare(
      "SELECT ifnull(max(seq), 0) FROM old.sqlite_sequence WHERE name = 'jobs'", to: "salvage"
    ).first(read: { $0.integer(0) }) {
      try reserveIds(through: max(0, seq))
    }
    return count
  }

  /// Lets no id up to this one be given again.
  package borrowing func reserveIds(through id: Int64) throws(StoreError) {
    guard id > (try largestId()) else { return }
    try connection.prepare("DELETE FROM main.sqlite_sequence WHERE name = 'jobs'", to: "write")
      .run()
    try connection.prepare(
      "INSERT INTO main.sqlite_sequence (name, seq) VALUES ('jobs', ?)", to: "write"
    ).run(.integer(id))
  }

  /// A job whose result is published, made again from what the result says of itself; its id must be free.
  package borrowing func restore(
    _ job: NewJob, result: String, attempt: Int, finished: Double, seconds: Double
  ) throws(StoreError) {
    let id = try admit(job, at: finished - seconds)
    try connection.prepare(
      """
      UPDATE jobs SET state = 'succeeded', result = ?2, attempts = ?3, started = ?4, finished = ?5,
        progress = 1 WHERE id = ?1
      """, to: "restore a job in"
    ).run(
      .integer(id), .text(result), .integer(Int64(max(1, attempt))), .real(finished - seconds),
      .real(finished))
  }

  /// Whether the table of totals counts what the rows say.
  package borrowing func totalsAreRight() throws(StoreError) -> Bool {
    let counted = "SELECT uid, state, count(*) FROM jobs GROUP BY uid, state"
    let kept = "SELECT uid, state, count FROM totals WHERE count <> 0"
    let summed = "SELECT uid, sum(bytes) AS sum FROM results GROUP BY uid HAVING sum <> 0"
    let noted = "SELECT uid, bytes FROM result_totals WHERE bytes <> 0"
    let differences = [(counted, kept), (kept, counted), (summed, noted), (noted, summed)]
      .map { "EXISTS (\($0) EXCEPT \($1))" }
    return try connection.prepare(
      "SELECT \(differences.joined(separator: " OR "))", to: "check"
    ).first(read: { $0.integer(0) }) == 0
  }

  private borrowing func commonColumns() throws(StoreError) -> [String] {
    try connection.prepare(
      """
      SELECT new.name FROM pragma_table_info('jobs', 'main') AS new
      JOIN pragma_table_info('jobs', 'old') AS old ON new.name = old.name
      """, to: "salvage"
    ).all(read: { $0.text(0) })
  }
}
