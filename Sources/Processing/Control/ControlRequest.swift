/// A request to the daemon, carried by a file in the inbox whose owner is the proof of who asks.
package struct ControlRequest: Hashable, Sendable {
  /// What is asked for.
  package enum Verb: String, Sendable, CaseIterable {
    /// End a job that waits or runs.
    case cancel
    /// Compute a failed or cancelled job again.
    case retry
    /// Keep a queued job from starting.
    case hold
    /// Let a queued job start that is held or put off.
    case release
    /// Forget a job that has ended; its result stays.
    case remove
    /// Forget a job that has ended, and remove its result.
    case removeResult = "remove-result"
  }

  /// What is asked for.
  package let verb: Verb
  /// The job.
  package let id: Int64

  /// Asks for something.
  package init(_ verb: Verb, _ id: Int64) {
    self.verb = verb
    self.id = id
  }

  /// Reads `.cancel-17`; nil when the name is no request.
  package init?(fileName: String) {
    for verb in Verb.allCases where fileName.hasPrefix(".\(verb.rawValue)-") {
      guard let id = Int64(fileName.dropFirst(verb.rawValue.count + 2)), id > 0 else { continue }
      self.init(verb, id)
      return
    }
    return nil
  }

  /// The file's name in the inbox.
  package var fileName: String { ".\(verb.rawValue)-\(id)" }
}
