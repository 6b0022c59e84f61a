/// Which jobs a reader wants, in which order and how many.
package struct JobFilter: Sendable, Hashable {
  /// What jobs are ordered by; ties go by id.
  package enum Order: String, Sendable, Hashable, CaseIterable {
    /// In order of admission.
    case id
    /// In the order in which queued jobs start.
    case priority
    /// By time of admission.
    case submitted
    /// By the last attempt's start.
    case started
    /// By the time a final state was reached.
    case finished
    /// By name.
    case name
    /// By size of the result.
    case bytes
  }

  /// Only these states; empty means all.
  package var states: Set<JobState> = []
  /// Only this owner's.
  package var uid: UInt32?
  /// Only what was submitted at this Unix time or later.
  package var since: Double?
  /// Only what reached a final state before this Unix time.
  package var endedBefore: Double?
  /// Only jobs of exactly this name.
  package var name: String?
  /// What they are ordered by.
  package var order = Order.id
  /// Whether the largest comes first.
  package var isDescending = true
  /// At most so many.
  package var limit: Int?

  /// All jobs, newest first.
  package init() {}

  /// The statement that finds them, and its bindings.
  var query: (sql: String, bindings: [Binding]) {
    var conditions: [String] = []
    var bindings: [Binding] = []
    if !states.isEmpty {
      // Written out rather than bound: only so can the partial index of queued jobs serve.
      let list = states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
      // Several states in another order than that of ids: + keeps SQLite from gathering them by
      // state and sorting; it walks the order's own index instead and stops at the limit.
      let column = order == .id || limit == nil ? "state" : "+state"
      conditions.append(states.count == 1 ? "state = \(list)" : "\(column) IN (\(list))")
    }
    if let uid {
      conditions.append("uid = ?")
      bindings.append(.integer(Int64(uid)))
    }
    if let since {
      conditions.append("submitted >= ?")
      bindings.append(.real(since))
    }
    if let endedBefore {
      conditions.append("finished < ?")
      bindings.append(.real(endedBefore))
    }
    if let name {
      conditions.append("name = ?")
      bindings.append(.text(name))
    }
    var sql = "SELECT \(Schema.jobColumns) FROM jobs"
    if order == .priority && states == [.queued] { sql += " " + Schema.inQueueOrder }
    if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
    let direction = isDescending ? "DESC" : "ASC"
    let ending =
      switch order {
      case .id: " ORDER BY id \(direction)"
      case .priority: " ORDER BY priority \(isDescending ? "DESC, id ASC" : "ASC, id DESC")"
      case .submitted: " ORDER BY submitted \(direction), id \(direction)"
      case .started: " ORDER BY started \(direction), id \(direction)"
      case .finished: " ORDER BY finished \(direction), id \(direction)"
      case .name: " ORDER BY name \(direction), id \(direction)"
      case .bytes: " ORDER BY bytes \(direction), id \(direction)"
      }
    sql += ending
    if let limit {
      sql += " LIMIT ?"
      bindings.append(.integer(Int64(max(0, limit))))
    }
    return (sql, bindings)
  }
}
