/// Durations as messages of the daemon write them.
package enum Seconds {
  /// `60 s`, `2.5 s`.
  package static func text(_ seconds: Double) -> String {
    let whole = Int(exactly: seconds).map { "\($0)" }
    return (whole ?? "\(seconds)") + " s"
  }
}
