import Store

/// Everything about one job, for people.
enum JobPage {
  /// Names and values, a line each.
  static func text(
    _ job: Job, user: String, resultsFolder: String, now: Double, terminal: Terminal
  ) -> String {
    var lines: [(name: String, value: String)] = [
      ("job", "\(job.id) (\(Wording.visible(job.name)))"),
      ("state", terminal.text(job.state.rawValue, job.state.colouring)),
      ("user", user),
      ("submitted", moment(job.submitted, now)),
    ]
    if let started = job.started { lines.append(("started", moment(started, now))) }
    if let finished = job.finished { lines.append(("ended", moment(finished, now))) }
    if let started = job.started, let finished = job.finished {
      lines.append(("took", Wording.duration(finished - started)))
    }
    if let progress = JobProgress(job, now: now) {
      lines.append(("progress", progress.text(barColumns: 20)))
    }
    if job.attempts > 0 { lines.append(("attempts", String(job.attempts))) }
    if let from = job.resumedFrom {
      let times = job.resumptions == 1 ? "once" : "\(job.resumptions) times"
      lines.append(("resumed", "\(times), last at \(Int(from * 100)) %"))
    }
    if job.priority != 0 { lines.append(("priority", String(job.priority))) }
    if job.isHeld { lines.append(("held", "until `nnjobs release \(job.id)`")) }
    if let start = job.notBefore {
      lines.append(("put off", "for \(Wording.duration(start - now)) more"))
    }
    if let limit = job.timeLimit { lines.append(("time limit", Wording.duration(limit))) }
    if let text = job.reasonText ?? job.reasonCode {
      lines.append(("reason", Wording.visible(text)))
    }
    if let result = job.result { lines.append(("result", "\(resultsFolder)/\(result)")) }
    if job.bytes > 0 { lines.append(("size", Wording.bytes(job.bytes))) }
    if job.memory > 0 {
      lines.append(
        (
          "planned",
          "\(Wording.bytes(job.memory)) of memory, \(job.cores) core\(job.cores == 1 ? "" : "s")"
        ))
    }
    if !job.file.isEmpty { lines.append(("file", Wording.visible(job.file))) }
    let width = lines.map(\.name.count).max() ?? 0
    return lines.map { line in
      let padding = String(repeating: " ", count: width - line.name.count + 2)
      return terminal.text(line.name, .faint) + padding + line.value + "\n"
    }.joined()
  }

  private static func moment(_ time: Double, _ now: Double) -> String {
    "\(Wording.local(time)) (\(Wording.age(now - time)))"
  }
}
