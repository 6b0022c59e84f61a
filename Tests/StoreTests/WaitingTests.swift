import Store
import Testing

@Suite struct WaitingTests {
  private static let delay = JobDelay(until: 100, because: .sample)

  @Test func `a held job does not start until it is released`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.hold(1))
    #expect(try !store.hold(1))
    #expect(try store.job(1)?.isHeld == true)
    #expect(try store.nextQueued() == nil)
    #expect(try store.start(1, owner: "o") == nil)
    #expect(try !store.putOff(1, Self.delay))
    #expect(try store.release(1))
    #expect(try !store.release(1))
    #expect(try store.start(1, owner: "o") == 1)
    #expect(try !store.hold(1))
    #expect(try !store.release(1))
  }

  @Test func `a job that is put off starts when its time has come, and says why until then`() throws
  {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.nextDelayEnd() == nil)
    #expect(try store.putOff(1, Self.delay))
    #expect(try !store.putOff(1, Self.delay))
    let waiting = try #require(try store.job(1))
    #expect(waiting.state == .queued)
    #expect(waiting.notBefore == 100)
    #expect(waiting.delays == 1)
    #expect(waiting.reasonText == JobReason.sample.text)
    #expect(try store.nextDelayEnd() == 100)
    #expect(try store.nextQueued() == nil)
    #expect(try store.start(1, owner: "o") == nil)
    #expect(try store.letGoOn(at: 99) == 0)
    #expect(try store.letGoOn(at: 100) == 1)
    #expect(try store.job(1)?.reasonText == JobReason.sample.text)
    #expect(try store.start(1, owner: "o", cores: 2) == 1)
    let running = try #require(try store.job(1))
    #expect(running.reasonText == nil)
    #expect(running.grantedCores == 2)
    #expect(running.delays == 1)
  }

  @Test func `a running job can be put off, once for each attempt`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.start(1, owner: "o") == 1)
    #expect(try store.requeue(1, attempt: 1, countingAttempt: false, delay: Self.delay))
    #expect(try !store.requeue(1, attempt: 1, countingAttempt: false, delay: Self.delay))
    let waiting = try #require(try store.job(1))
    #expect(waiting.notBefore == 100)
    #expect(waiting.delays == 1)
    #expect(waiting.countedAttempts == 0)
    #expect(waiting.grantedCores == 0)
    #expect(waiting.reasonCode == JobReason.sample.code)
    #expect(try store.letGoOn(at: 100) == 1)
    #expect(try store.start(1, owner: "o") == 2)
    // Returned without a delay it is ready at once, and the row of delays is not broken.
    #expect(try store.requeue(1, attempt: 2, countingAttempt: true))
    #expect(try store.job(1)?.notBefore == nil)
    #expect(try store.job(1)?.delays == 1)
    #expect(try store.nextQueued()?.id == 1)
  }

  @Test func `cancel and retry leave nothing of a hold or a delay behind`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.putOff(1, Self.delay))
    #expect(try store.hold(1))
    #expect(try store.cancelQueued(1, because: .sample))
    let ended = try #require(try store.job(1))
    #expect(!ended.isHeld)
    #expect(ended.notBefore == nil)
    #expect(try store.retry(1))
    #expect(try store.job(1)?.delays == 0)
    #expect(try store.start(1, owner: "o") == 1)
  }

  @Test func `the first ready job of each user is found by priority, without what waits`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    for (id, uid, priority) in [
      (1, 7, 0), (2, 7, 5), (3, 8, 5), (4, 7, 5), (5, 9, 5), (6, .max, 5), (7, 9, 0), (8, 8, 5),
    ] as [(Int64, UInt32, Int)] {
      try store.admit(.sample(id, uid: uid, priority: priority))
    }
    #expect(try store.hold(2))
    #expect(try store.putOff(5, Self.delay))
    #expect(try store.readyHeads().map(\.id) == [4, 3, 6])
    #expect(try store.readyHeads(atMost: 4).map(\.id) == [1, 7])
    #expect(try store.readyHeads(atMost: -1).isEmpty)
    #expect(try store.ready(of: 8, priority: 5, limit: 9).map(\.id) == [3, 8])
    #expect(try store.ready(of: 8, priority: 5, limit: 1).map(\.id) == [3])
  }

  @Test func `after the clock was set back no job waits for longer than a delay lasts`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.putOff(1, JobDelay(after: 99, at: 1e6, because: .sample)))
    #expect(try store.letGoOn(at: 1e6) == 0)
    #expect(try store.letGoOn(at: 1e6 - 86_400) == 1)
  }

  @Test(arguments: [(0, 1.0), (1, 2), (2, 4), (7, 128), (8, 256), (9, 300), (10_000, 300)])
  func `delays double up to the longest`(delays: Int, seconds: Double) {
    #expect(JobDelay(after: delays, at: 50, because: .sample).until == 50 + seconds)
  }

  @Test func `a user's share is halved every day and kept by the store`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    let share = UserShare(coreSeconds: 0, asOf: 0).adding(80, at: 0)
    #expect(share.coreSeconds(at: 2 * UserShare.halfLife) == 20)
    #expect(share.coreSeconds(at: -5) == 80)
    try store.note(shares: [7: share, 8: UserShare(coreSeconds: 0.5, asOf: 0)], at: 0)
    #expect(try store.shares() == [7: share])
    try store.note(shares: [7: share], at: 30 * UserShare.halfLife)
    #expect(try store.shares().isEmpty)
    try store.note(settings: ["cores": "2"])
    try store.note(settings: ["memory": "5"])
    #expect(try store.settings() == ["memory": "5"])
  }
}
