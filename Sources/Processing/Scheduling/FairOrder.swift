package import Store

/// Whose turn it is: among users whose next jobs have one priority, the one who has had least of the machine lately.
///
/// What counts is core-seconds, half of them forgotten every day (`UserShare`), those of running jobs included. A user
/// who waits falls behind nobody: the others' shares grow while theirs shrinks, so nobody starves within a priority.
package struct FairOrder: Sendable {
  private var shares: [UInt32: UserShare]
  /// The share of each user that changed since it was last asked for.
  private var changed: Set<UInt32> = []

  /// Starts with what users have had.
  package init(_ shares: [UInt32: UserShare] = [:]) { self.shares = shares }

  /// A running attempt as it counts: whose, on how many cores, since when (Unix seconds).
  package struct Use: Hashable, Sendable {
    /// Whose it is.
    package let uid: UInt32
    /// Cores it was given.
    package let cores: Int
    /// When it started, Unix seconds.
    package let since: Double

    /// States a use.
    package init(uid: UInt32, cores: Int, since: Double) {
      self.uid = uid
      self.cores = cores
      self.since = since
    }
  }

  /// The users' next jobs in the order in which they may start; equal users by the jobs' ids.
  package func order(_ heads: [Job], running: [Use], at now: Double) -> [Job] {
    // The common case, and it costs nothing.
    if heads.count < 2 { return heads }
    var had: [UInt32: Double] = [:]
    for job in heads { had[job.uid] = shares[job.uid]?.coreSeconds(at: now) ?? 0 }
    for use in running { had[use.uid]? += Double(use.cores) * max(0, now - use.since) }
    return heads.sorted { (had[$0.uid] ?? 0, $0.id) < (had[$1.uid] ?? 0, $1.id) }
  }

  /// Counts what an attempt used that has ended.
  package mutating func count(_ use: Use, until now: Double) {
    let share = shares[use.uid] ?? UserShare(coreSeconds: 0, asOf: now)
    shares[use.uid] = share.adding(Double(use.cores) * max(0, now - use.since), at: now)
    changed.insert(use.uid)
  }

  /// The shares that changed since this was last asked.
  package mutating func takeChanges() -> [UInt32: UserShare] {
    defer { changed = [] }
    return shares.filter { changed.contains($0.key) }
  }
}
