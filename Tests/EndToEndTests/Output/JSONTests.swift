import Store
import Testing

@testable import nnjobs

@Suite struct `JSON output` {
  @Test func `has its schema, sorted names, nulls and no number that JSON has not`() throws {
    let text = try JSON.document([
      "b": .list([.null, .flag(true), .integer(Int64.max)]), "a": .number(.nan),
      "c": .object(["x": .text("/\"ü\u{1}"), "y": .number(0.5)]),
    ])
    #expect(
      text
        == "{\"a\":null,\"b\":[null,true,9223372036854775807],"
        + "\"c\":{\"x\":\"/\\\"ü\\u0001\",\"y\":0.5},\"schema\":1}\n")
  }

  @Test func `states the rate and the time left of what runs`() {
    let progress = JobProgress(fraction: 0.25, bytes: 4 << 20, elapsed: 10)
    #expect(progress.secondsLeft == 30)
    #expect(progress.text(barColumns: 8) == "██······ 25 %  102 KiB/s  30.0 s left")
    let new = JobProgress(fraction: 0, bytes: 4, elapsed: 10)
    #expect(new.secondsLeft == nil)
    #expect(new.text(barColumns: 8) == "········ 0 %")
  }
}
