/// Durations as people write them: `90`, `1.5h`, `30d`.
package enum TimeSpan {
  private static let units: [Character: Double] = [
    "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400,
  ]

  /// What `parse` takes, for messages.
  package static let forms = "a duration as 90, 30s, 10m, 2h, 7d or 1w"

  /// Seconds; a number without unit is seconds. Nil when it is no duration.
  package static func parse(_ text: String) -> Double? {
    guard let last = text.last else { return nil }
    let factor = units[last]
    let number = factor == nil ? Substring(text) : text.dropLast()
    guard let value = Double(number), value >= 0, value < 1e12 else { return nil }
    return value * (factor ?? 1)
  }

  /// Whether it ends in a unit.
  package static func hasUnit(_ text: String) -> Bool {
    text.last.map { units[$0] != nil } ?? false
  }
}
