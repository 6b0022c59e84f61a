import Store

/// Jobs as programs read them.
enum JobJSON {
  /// One job; a time is RFC 3339, `eta` the seconds that are left.
  static func object(_ job: Job, user: String, resultsFolder: String, now: Double) -> JSON {
    .object([
      "id": .integer(job.id), "name": .text(job.name), "state": .text(job.state.rawValue),
      "user": .text(user), "priority": .integer(job.priority),
      "submitted": .text(Wording.utc(job.submitted)),
      "started": .optional(job.started.map(Wording.utc)),
      "finished": .optional(job.finished.map(Wording.utc)),
      "attempts": .integer(job.attempts), "progress": .number(job.progress),
      "resumed": .integer(job.resumptions), "resumed_from": .optional(job.resumedFrom),
      "eta": .optional(JobProgress(job, now: now)?.secondsLeft),
      "reason": reason(job),
      "result": .optional(job.result.map { resultsFolder + "/" + $0 }),
      "bytes": .integer(job.bytes), "memory": .integer(job.memory),
      "cores": .integer(job.cores), "held": .flag(job.isHeld),
      "not_before": .optional(job.notBefore.map(Wording.utc)),
      "time_limit": .optional(job.timeLimit),
    ])
  }

  /// Every state with its count.
  static func totals(_ totals: [JobState: Int]) -> JSON {
    .object(
      Dictionary(
        uniqueKeysWithValues: totals.map { ($0.key.rawValue, .integer($0.value)) }))
  }

  private static func reason(_ job: Job) -> JSON {
    guard job.reasonCode != nil || job.reasonText != nil else { return .null }
    return .object([
      "code": .optional(job.reasonCode), "text": .optional(job.reasonText),
    ])
  }
}
