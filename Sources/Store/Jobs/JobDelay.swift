/// Until when a job is put off, and why: something stands in its way that may pass.
package struct JobDelay: Sendable, Hashable {
  /// The first moment it may start again, Unix seconds.
  package let until: Double
  /// What stands in its way.
  package let reason: JobReason

  /// Puts off until a moment.
  package init(until: Double, because reason: JobReason) {
    self.until = until
    self.reason = reason
  }

  /// Puts off for longer each time: `seconds`, twice that, four times…, `longest` at most.
  ///
  /// `delays` is how often the job was put off before.
  package init(
    after delays: Int, seconds: Double = 1, longest: Double = JobDelay.longest,
    at now: Double = Store.now, because reason: JobReason
  ) {
    var length = seconds
    for _ in 0..<max(0, min(delays, 60)) where length < longest { length *= 2 }
    self.init(until: now + min(length, longest), because: reason)
  }

  /// Seconds that no job is put off for longer than.
  ///
  /// A clock that was set back cannot make a job wait for more either: what lies further ahead is over at once.
  package static let longest = 300.0
}
