import Glibc
import Processing
import Store

/// How times, durations and names are written.
enum Wording {
  /// `0.42 s`, `12.3 s`, `1:05 min`, `2:03:04 h`, `3 d 04 h`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e12 else { return "?" }
    let seconds = max(0, seconds)
    if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 9.995 { return decimals(seconds, 2) + " s" }
    if seconds < 59.95 { return decimals(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60):\(two(whole % 60)) min" }
    if whole < 86400 { return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60)) h" }
    return "\(whole / 86400) d \(two(whole / 3600 % 24)) h"
  }

  /// `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`.
  static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<1: "now"
    case ..<60: "\(Int(seconds)) s ago"
    case ..<3600: "\(Int(seconds / 60)) min ago"
    case ..<86400: "\(Int(seconds / 3600)) h ago"
    case ..<(86400 * 1e6): "\(Int(seconds / 86400)) d ago"
    default: "long ago"
    }
  }

  /// RFC 3339 in UTC with milliseconds: `2026-01-31T12:00:00.123Z`.
  static func utc(_ unixSeconds: Double) -> String {
    calendar(unixSeconds, isUTC: true)
  }

  /// Local time to the second: `2026-01-31 12:00:00`.
  static func local(_ unixSeconds: Double) -> String {
    calendar(unixSeconds, isUTC: false)
  }

  private static func calendar(_ unixSeconds: Double, isUTC: Bool) -> String {
    // Years 0 to 9999: what RFC 3339 can say.
    let clamped = min(max(unixSeconds, -62_167_219_200), 253_402_300_799)
    let milliseconds = Int((clamped * 1000).rounded(.down))
    var seconds = time_t(milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000)
    let rest = milliseconds - seconds * 1000
    // tm holds a pointer (tm_zone), which is not used here.
    var calendar = unsafe tm()
    unsafe _ = isUTC ? gmtime_r(&seconds, &calendar) : localtime_r(&seconds, &calendar)
    let year = unsafe padded(Int(calendar.tm_year) + 1900, 4)
    let date = unsafe "\(year)-\(two(Int(calendar.tm_mon) + 1))-\(two(Int(calendar.tm_mday)))"
    let clock = unsafe [calendar.tm_hour, calendar.tm_min, calendar.tm_sec]
      .map { two(Int($0)) }.joined(separator: ":")
    return isUTC ? "\(date)T\(clock).\(padded(rest, 3))Z" : "\(date) \(clock)"
  }

  /// A whole number in groups of three: `12 345 678`.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += " " }
      text.append(digit)
    }
    return text
  }

  /// `1 job`, `3 jobs`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// Text in which nothing moves the cursor: a name may hold anything.
  static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { return text }
    var visible = ""
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .control {
        visible += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        visible.unicodeScalars.append(scalar)
      }
    }
    return visible
  }

  /// A number with that many decimals.
  static func decimals(_ value: Double, _ count: Int) -> String {
    let scale = count == 0 ? 1 : count == 1 ? 10 : 100
    let whole = Int((value * Double(scale)).rounded())
    return count == 0 ? "\(whole)" : "\(whole / scale).\(padded(whole % scale, count))"
  }

  private static func two(_ number: Int) -> String { padded(number, 2) }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Wording {
  /// `1.50 GiB`, `12 B`.
  static func bytes(_ count: Int64) -> String { ByteCount.text(Int(count)) }

  /// The verb before a state's word: it `is` queued, `has` failed, `was` cancelled.
  static func verb(of state: JobState) -> String {
    switch state {
    case .queued, .running: "is"
    case .succeeded, .failed: "has"
    case .cancelled, .refused: "was"
    }
  }
}
