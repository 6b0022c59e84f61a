import Dispatch

/// Seconds that each stage of a job took, in the order the stages happened.
package struct StageClock: Sendable {
  /// The stages so far.
  package private(set) var stages: [(name: String, seconds: Double)] = []
  private let start = DispatchTime.now().uptimeNanoseconds
  private var last = DispatchTime.now().uptimeNanoseconds

  /// Starts the clock.
  package init() {}

  /// Ends a stage; what comes next belongs to the next one.
  package mutating func lap(_ name: String) {
    let now = DispatchTime.now().uptimeNanoseconds
    stages.append((name, Double(now - last) * 1e-9))
    last = now
  }

  /// Seconds since the start.
  package var total: Double { Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9 }
}
