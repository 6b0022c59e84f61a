import Testing

@testable import nnjobs

@Suite struct `A time on the command line` {
  @Test(
    arguments: [
      ("2h", 1_800_000_000 - 7200), ("1970-01-02T00:00:00Z", 86400),
      ("2026-01-31T12:00Z", 1_769_860_800), ("2024-02-29T23:59:59Z", 1_709_251_199),
      ("2026-13-01T00:00Z", nil), ("2026-01-31T24:00Z", nil), ("2026-01", nil), ("12", nil),
      ("2026-01-31T12", nil), ("yesterday", nil), ("2026-1-+1T12:00Z", nil),
    ] as [(String, Double?)])
  func `may be a moment`(text: String, time: Double?) {
    #expect(TimeArgument.moment(text, now: 1_800_000_000) == time)
  }

  @Test(
    arguments: [
      (0, "0 ms"), (0.0004, "0 ms"), (0.42, "420 ms"), (0.9996, "1.00 s"), (9.994, "9.99 s"),
      (12.34, "12.3 s"), (59.96, "1:00 min"), (65, "1:05 min"), (3599.6, "1:00:00 h"),
      (7384, "2:03:04 h"), (273_600, "3 d 04 h"), (-1, "0 ms"), (.infinity, "?"), (.nan, "?"),
    ] as [(Double, String)])
  func `is written as a duration`(seconds: Double, text: String) {
    #expect(Wording.duration(seconds) == text)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1_769_860_800.1239, "2026-01-31T12:00:00.123Z"),
      (-0.5, "1969-12-31T23:59:59.500Z"), (1e300, "9999-12-31T23:59:59.000Z"),
      (-1e300, "0000-01-01T00:00:00.000Z"),
    ] as [(Double, String)])
  func `is written in RFC 3339`(time: Double, text: String) {
    #expect(Wording.utc(time) == text)
  }
}
