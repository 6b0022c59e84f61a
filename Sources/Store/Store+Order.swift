extension Store {
  /// How many ready jobs go before a queued one whatever users have had: of higher priority, and its user's own.
  package borrowing func readyBefore(
    _ job: Job
  ) throws(StoreError) -> (higherPriority: Int, own: Int) {
    let count = "SELECT count(*) FROM jobs INDEXED BY jobs_ready WHERE \(Schema.isReady)"
    let higher = try connection.prepare("\(count) AND priority > ?", to: "read")
      .first(.integer(Int64(job.priority)), read: { Int($0.integer(0)) })
    let own = try connection.prepare("\(count) AND priority = ? AND uid = ? AND id < ?", to: "read")
      .first(
        .integer(Int64(job.priority)), .integer(Int64(job.uid)), .integer(job.id),
        read: { Int($0.integer(0)) })
    return (higher ?? 0, own ?? 0)
  }
}
