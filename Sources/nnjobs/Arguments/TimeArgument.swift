import Glibc
import Processing

/// Times as people write them: `2h` ago, `2026-01-31`, `2026-01-31T12:00:00Z`.
enum TimeArgument {
  /// What `moment` takes, for messages.
  static let momentForms =
    "an age as 10m, 2h, 7d, or a time as 2026-01-31, 2026-01-31T12:00 or 2026-01-31T12:00:00Z"

  /// Unix seconds: an age with its unit counts back from `now`, a time without Z is local.
  static func moment(_ text: String, now: Double) -> Double? {
    if TimeSpan.hasUnit(text), let age = TimeSpan.parse(text) { return now - age }
    let isUTC = text.hasSuffix("Z")
    let parts = (isUTC ? text.dropLast() : Substring(text))
      .split(separator: "T", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let date = numbers(parts[0], "-", 3...3) else {
      return nil
    }
    var clock = [0, 0, 0]
    if parts.count == 2 {
      guard let given = numbers(parts[1], ":", 2...3) else { return nil }
      clock = given.count == 2 ? given + [0] : given
    }
    guard (1970...9999).contains(date[0]), (1...12).contains(date[1]),
      (1...31).contains(date[2]), (0...23).contains(clock[0]), (0...59).contains(clock[1]),
      (0...60).contains(clock[2])
    else { return nil }
    // tm holds a pointer (tm_zone), which is not used here.
    var calendar = unsafe tm()
    unsafe calendar.tm_year = Int32(date[0] - 1900)
    unsafe calendar.tm_mon = Int32(date[1] - 1)
    unsafe calendar.tm_mday = Int32(date[2])
    unsafe calendar.tm_hour = Int32(clock[0])
    unsafe calendar.tm_min = Int32(clock[1])
    unsafe calendar.tm_sec = Int32(clock[2])
    unsafe calendar.tm_isdst = -1
    return Double(isUTC ? unsafe timegm(&calendar) : unsafe mktime(&calendar))
  }

  private static func numbers(
    _ text: Substring, _ separator: Character, _ count: ClosedRange<Int>
  ) -> [Int]? {
    let parts = text.split(separator: separator, omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.allSatisfy(\.isNumber) ? Int(part) : nil }
    return numbers.count == parts.count && count.contains(parts.count) ? numbers : nil
  }
}
