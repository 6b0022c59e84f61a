import FoundationEssentials

/// How many times as long as usual everything takes, as under a sanitizer: `NNJOBS_TESTS_SLOWED`, else once.
private let slowed =
  ProcessInfo.processInfo.environment["NNJOBS_TESTS_SLOWED"].flatMap { Int($0) } ?? 1

/// A condition did not come true in time.
package struct DeadlinePassed: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds, asking a few hundred times a second: the one place where a test waits.
///
/// The limit is far above what it takes, since the machine may be busy; only a failing test waits that long.
package func eventually(
  within limit: Duration = .seconds(40), _ what: @autoclosure () -> String,
  _ condition: () throws -> Bool
) async throws {
  let limit = limit * slowed
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    if ContinuousClock.now > deadline {
      throw DeadlinePassed("\(what()): not so within \(limit)")
    }
    try await Task.sleep(for: .milliseconds(3))
  }
}
