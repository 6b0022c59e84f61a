import Store

/// How a running job gets on, by the clock.
struct JobProgress: Hashable, Sendable {
  /// How much is done, 0…1.
  let fraction: Double
  /// Seconds since its start.
  let elapsed: Double
  /// Bytes of result a second so far; nil before anything is done.
  let bytesPerSecond: Double?
  /// Seconds until its end if it goes on like this; nil before anything is done.
  let secondsLeft: Double?

  /// Looks at a job at a time; nil unless it runs.
  init?(_ job: Job, now: Double) {
    guard job.state == .running, let started = job.started else { return nil }
    self.init(fraction: job.progress, bytes: job.bytes, elapsed: max(0, now - started))
  }

  /// Reckons from how much of so many bytes is done after so many seconds.
  init(fraction: Double, bytes: Int64, elapsed: Double) {
    self.fraction = fraction
    self.elapsed = elapsed
    guard fraction > 0, elapsed > 0 else {
      bytesPerSecond = nil
      secondsLeft = nil
      return
    }
    bytesPerSecond = fraction * Double(bytes) / elapsed
    secondsLeft = elapsed * (1 - fraction) / fraction
  }

  /// `█████···  62 %  120 MiB/s  0:42 min left`.
  func text(barColumns: Int = 10) -> String {
    ProgressBar.text(fraction, columns: barColumns) + " " + words
  }

  /// `62 %  120 MiB/s  0:42 min left`.
  var words: String {
    var text = ProgressBar.percent(fraction)
    if let bytesPerSecond {
      text += "  " + Wording.bytes(Int64(bytesPerSecond)) + "/s"
    }
    if let secondsLeft { text += "  " + Wording.duration(secondsLeft) + " left" }
    return text
  }
}
