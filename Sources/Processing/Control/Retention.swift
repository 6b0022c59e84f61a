package import Store

/// How long ended jobs are kept, and which have been kept long enough.
package struct Retention: Hashable, Sendable {
  /// Seconds after its end that a job may go.
  package let age: Double
  /// Whether its result folder stays when it goes.
  package let keepsResults: Bool

  /// States a rule.
  package init(age: Double, keepsResults: Bool) {
    self.age = age
    self.keepsResults = keepsResults
  }

  /// The rule of a configuration; nil where jobs are kept for ever.
  package init?(_ settings: Configuration) {
    guard let age = settings.keep else { return nil }
    self.init(age: age, keepsResults: settings.keepResults ?? true)
  }

  /// The jobs that may go, the oldest first; `states` and `uid` narrow them down.
  package func due(
    in store: borrowing Store, states: Set<JobState> = [], uid: UInt32? = nil,
    limit: Int? = nil, now: Double = Store.now
  ) throws(StoreError) -> [Job] {
    var filter = JobFilter()
    let final = Set(JobState.allCases.filter(\.isFinal))
    filter.states = states.isEmpty ? final : states.intersection(final)
    if filter.states.isEmpty { return [] }
    filter.uid = uid
    filter.endedBefore = now - age
    filter.order = .finished
    filter.isDescending = false
    filter.limit = limit
    return try store.jobs(filter)
  }
}
