/// A published result as the store counts it: what it takes on disk, and whose it is.
package struct KeptResult: Sendable, Hashable {
  /// The folder in `results/`.
  package let folder: String
  /// The job that it is of, which may be forgotten.
  package let job: Int64
  /// Whose it is.
  package let uid: UInt32
  /// Bytes on disk, headers and the rest of each last block included.
  package let bytes: Int64

  init(row: borrowing Statement) {
    folder = row.text(0)
    job = row.integer(1)
    uid = UInt32(truncatingIfNeeded: row.integer(2))
    bytes = row.integer(3)
  }
}

/// What users' results take on disk: noted when a job succeeds, kept while the folder is, whether its job has a row or not.
extension Store {
  /// Bytes on disk of a user's published results, and those that their running jobs are promised.
  package borrowing func resultBytes(
    of uid: UInt32
  ) throws(StoreError) -> (kept: Int64, promised: Int64) {
    let kept = try connection.prepare("SELECT bytes FROM result_totals WHERE uid = ?", to: "read")
      .first(.integer(Int64(uid)), read: { $0.integer(0) })
    let promised = try connection.prepare(
      "SELECT ifnull(sum(disk), 0) FROM jobs WHERE state = 'running' AND uid = ?", to: "read"
    ).first(.integer(Int64(uid)), read: { $0.integer(0) })
    return (kept ?? 0, promised ?? 0)
  }

  /// Bytes on disk of each user's published results.
  package borrowing func resultBytes() throws(StoreError) -> [UInt32: Int64] {
    let rows = try connection.prepare(
      "SELECT uid, bytes FROM result_totals WHERE bytes > 0", to: "read"
    ).all(read: { row in (UInt32(truncatingIfNeeded: row.integer(0)), row.integer(1)) })
    return Dictionary(rows, uniquingKeysWith: { $1 })
  }

  /// A user's published results.
  package borrowing func results(of uid: UInt32) throws(StoreError) -> [KeptResult] {
    try connection.prepare("\(Self.selectResults) WHERE uid = ?", to: "read")
      .all([.integer(Int64(uid))], read: KeptResult.init(row:))
  }

  /// The published result of a job, forgotten or not.
  package borrowing func result(of job: Int64) throws(StoreError) -> KeptResult? {
    try connection.prepare("\(Self.selectResults) WHERE job = ?", to: "read")
      .first(.integer(job), read: KeptResult.init(row:))
  }

  /// Counts results no more whose folders are gone, and lets jobs go on that wait for the room of a user's results.
  package borrowing func forget(
    results: [KeptResult], waitingFor code: String
  ) throws(StoreError) {
    if results.isEmpty { return }
    let forget = try connection.prepare(
      "DELETE FROM results WHERE folder = ? AND job = ?", to: "forget a result in")
    for result in results { try forget.run(.text(result.folder), .integer(result.job)) }
    for uid in Set(results.map(\.uid)) { try letGoOn(of: uid, waitingFor: code) }
  }

  /// Lets a user's jobs go on at once that were put off for this reason.
  package borrowing func letGoOn(
    of uid: UInt32, waitingFor code: String
  ) throws(StoreError) {
    try connection.prepare(
      """
      UPDATE jobs SET not_before = NULL, delays = 0
      WHERE not_before IS NOT NULL AND uid = ? AND reason_code = ?
      """, to: "let jobs go on in"
    ).run(.integer(Int64(uid)), .text(code))
  }

  private static let selectResults = "SELECT folder, job, uid, bytes FROM results"
}
