import Store

extension JobState {
  /// The colour of its word.
  var colouring: Colouring? {
    switch self {
    case .queued: nil
    case .running: .cyan
    case .succeeded: .green
    case .failed: .red
    case .cancelled: .yellow
    case .refused: .magenta
    }
  }
}

/// Jobs as people read them.
enum JobTable {
  /// A line for each job.
  static func text(
    _ jobs: [Job], names: inout UserNames, showsUsers: Bool, now: Double, terminal: Terminal
  ) -> String {
    var table = Table([
      ("ID", .right), ("NAME", .left), ("STATE", .left), ("USER", .left), ("PRIORITY", .right),
      ("SUBMITTED", .right), ("TOOK", .right), ("SIZE", .right), ("", .left),
    ])
    for job in jobs {
      table.add([
        .init(String(job.id)), .init(shortened(job.name, 32)),
        .init(job.state.rawValue, job.state.colouring),
        .init(showsUsers ? names.name(of: job.uid) : ""),
        .init(job.priority == 0 ? "" : String(job.priority)),
        .init(Wording.age(now - job.submitted)), .init(took(job, now: now)),
        .init(job.bytes > 0 ? Wording.bytes(job.bytes) : ""), .init(news(job, now: now)),
      ])
    }
    return table.text(for: terminal)
  }

  /// `1 running, 3 queued, 120 succeeded`.
  static func totals(_ totals: [JobState: Int], terminal: Terminal) -> String {
    let order: [JobState] = [.running, .queued, .succeeded, .failed, .cancelled, .refused]
    let parts = order.compactMap { state -> String? in
      guard let count = totals[state], count > 0 else { return nil }
      return "\(count) \(terminal.text(state.rawValue, state.colouring))"
    }
    return parts.isEmpty ? "no jobs" : parts.joined(separator: ", ")
  }

  private static func took(_ job: Job, now: Double) -> String {
    guard let started = job.started, job.state != .queued else { return "" }
    return Wording.duration((job.finished ?? now) - started)
  }

  private static func news(_ job: Job, now: Double) -> String {
    switch job.state {
    case .running: JobProgress(job, now: now)?.text() ?? ""
    case .queued: waiting(job, now: now)
    case .succeeded: job.result ?? ""
    case .failed, .cancelled, .refused: job.reasonText ?? job.reasonCode ?? ""
    }
  }

  private static func waiting(_ job: Job, now: Double) -> String {
    if job.isHeld { return "held" }
    if let start = job.notBefore {
      let reason = job.reasonText.map { ": " + $0 } ?? ""
      return "not before \(Wording.duration(start - now)) from now" + reason
    }
    return job.reasonText
      ?? (job.attempts > 0 ? "attempt \(job.attempts) ended without an outcome" : "")
  }

  private static func shortened(_ text: String, _ most: Int) -> String {
    text.count <= most ? text : String(text.prefix(most - 1)) + "…"
  }
}
