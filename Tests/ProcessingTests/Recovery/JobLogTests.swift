import Processing
import Store
import TestSupport
import Testing

@Suite struct JobLogTests {
  @Test func `lines come back with their times, each on one line`() throws {
    let queue = try Queue()
    let log = JobLog(queue.folders)
    log.note(7, "starts", at: 1_700_000_000.25)
    log.note(7, "two\nlines", at: 1_700_000_001.5)
    let lines = try log.lines(of: 7)
    #expect(lines.map(\.time) == [1_700_000_000.25, 1_700_000_001.5])
    #expect(lines.map(\.text) == ["starts", "two lines"])
    #expect(try log.lines(of: 8) == [])
    try log.forget(7)
    try log.forget(7)
    #expect(try log.lines(of: 7) == [])
  }

  @Test func `a log that is full says so once, and grows no more`() throws {
    let queue = try Queue()
    let log = JobLog(queue.folders)
    for _ in 0..<2000 { log.note(1, String(repeating: "x", count: 100)) }
    let lines = try log.lines(of: 1)
    #expect(lines.count < 700)
    #expect(
      lines.last?.text == "the rest is left out: a job's log has 65536 bytes at most")
    #expect(lines.count { $0.text.hasPrefix("the rest") } == 1)
  }

  @Test func `the end of an attempt is logged with what became of the job`() throws {
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    _ = try queue.recover()
    let texts = try JobLog(queue.folders).lines(of: 1).map(\.text)
    #expect(
      texts == ["attempt 1 was given back, since the daemon stopped; the job is queued"])
  }
}
