/// How far a job is.
package enum JobState: String, Sendable, Hashable, CaseIterable {
  /// Waits for its turn.
  case queued
  /// A worker computes it.
  case running
  /// Its result is published.
  case succeeded
  /// It ended without a result; the reason says why.
  case failed
  /// Its owner or root ended it.
  case cancelled
  /// The dropped file was no valid job.
  case refused

  /// Whether nothing but a retry leads out of it.
  package var isFinal: Bool {
    switch self {
    case .queued, .running: false
    case .succeeded, .failed, .cancelled, .refused: true
    }
  }
}

/// What can happen to a job; the only ways from state to state.
package enum JobEvent: String, Sendable, Hashable, CaseIterable {
  /// A worker takes it.
  case start
  /// Its result has been published.
  case succeed
  /// It cannot be computed.
  case fail
  /// Its owner or root ends it.
  case cancel
  /// Its attempt ended without an outcome: the worker or the daemon went.
  case requeue
  /// Its owner or root wants it computed again.
  case retry

  /// Where the event leads from `state`, nil where it cannot happen: the one table of transitions.
  package func destination(from state: JobState) -> JobState? {
    switch (state, self) {
    case (.queued, .start): .running
    case (.queued, .cancel): .cancelled
    // Its claimed file is gone or damaged, found before a worker had it.
    case (.queued, .fail): .failed
    case (.queued, .succeed), (.queued, .requeue), (.queued, .retry): nil

    case (.running, .succeed): .succeeded
    case (.running, .fail): .failed
    case (.running, .cancel): .cancelled
    case (.running, .requeue): .queued
    case (.running, .start), (.running, .retry): nil

    case (.failed, .retry), (.cancelled, .retry): .queued
    case (.failed, .start), (.failed, .succeed), (.failed, .fail), (.failed, .cancel),
      (.failed, .requeue):
      nil
    case (.cancelled, .start), (.cancelled, .succeed), (.cancelled, .fail), (.cancelled, .cancel),
      (.cancelled, .requeue):
      nil

    case (.succeeded, .start), (.succeeded, .succeed), (.succeeded, .fail), (.succeeded, .cancel),
      (.succeeded, .requeue), (.succeeded, .retry):
      nil
    case (.refused, .start), (.refused, .succeed), (.refused, .fail), (.refused, .cancel),
      (.refused, .requeue), (.refused, .retry):
      nil
    }
  }

  /// `state = 'running'` to be set where `state IN ('queued')`: SQL made from the table, for the state `source` or for all.
  func sql(from source: JobState? = nil) -> (destination: String, condition: String) {
    let pairs = (source.map { [$0] } ?? JobState.allCases).compactMap { state in
      destination(from: state).map { (state, $0) }
    }
    precondition(
      Set(pairs.map { $0.1 }).count == 1, "an event leads to one state wherever it can happen")
    let sources = pairs.map { "'\($0.0.rawValue)'" }.joined(separator: ", ")
    return ("'\(pairs[0].1.rawValue)'", "state IN (\(sources))")
  }
}
