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
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    if ContinuousClock.now > deadline {
      throw DeadlinePassed("\(what()): not so within \(limit)")
    }
    try await Task.sleep(for: .milliseconds(3))
  }
}
