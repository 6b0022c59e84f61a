import Processing
import Testing

@Suite struct TimeSpanTests {
  @Test(
    arguments: [
      ("90", 90), ("30s", 30), ("1.5h", 5400), ("10m", 600), ("7d", 604_800), ("1w", 604_800),
      ("0", 0), ("", nil), ("h", nil), ("-1", nil), ("1y", nil), ("nan", nil), ("1e400", nil),
    ] as [(String, Double?)])
  func `may be a duration`(text: String, seconds: Double?) {
    #expect(TimeSpan.parse(text) == seconds)
  }
}
