import Dispatch

/// Seconds that each stage of a job took, in the order the stages happened.
package struct StageClock: Sendable {
  /// The stages so far.
  package private(set) var stages: [(name: String, seconds: Double)] = []
  private let start = DispatchTime.now().uptimeNanoseconds
  private var last = DispatchTime.now().uptimeNanoseconds

  private let earlier: Double

  /// Starts the clock, as the stage `earlier attempts` took so many seconds before.
  package init(after earlier: Double = 0) {
    self.earlier = earlier
    if earlier > 0 { stages.append(("earlier attempts", earlier)) }
  }

  /// Ends a stage; what comes next belongs to the next one.
  package mutating func lap(_ name: String) {
    let now = DispatchTime.now().uptimeNanoseconds
    stages.append((name, Double(now - last) * 1e-9))
    last = now
  }

  /// Seconds since the start, and before.
  package var total: Double {
    earlier + Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
  }
}
