import Foundation
import Processing
import Store
import TestSupport
import Testing

@Suite struct IntakeTests {
  @Test func `a backlog is taken in batch by batch, and a request waits for no more than one`()
    throws
  {
    let queue = try Queue()
    let count = 2000
    for k in 1...count { try queue.here.write(Queue.document, to: "jobs/job\(k).json") }
    var intake = Intake(
      admission: Admission(
        folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30)),
      store: queue.store, nextID: 1, log: { _ in })
    intake.scan()
    var requests = try intake.takeBatch()
    #expect(requests.isEmpty)
    func queued() throws -> Int? {
      try queue.store.record { (store) throws(StoreError) in try store.totals()[.queued] }
    }
    // 1. The first jobs can start after one batch. 2. A request that comes now is heard with the next.
    #expect(try queued() == Intake.batch, "1")
    let isIdle = intake.isIdle
    #expect(!isIdle, "1")
    intake.hear(of: [Array(".cancel-1".utf8)])
    requests = try intake.takeBatch()
    #expect(requests == [ControlRequest(.cancel, 1)], "2")
    #expect(try queued() == 2 * Intake.batch, "2")
    // 3. A scan finds requests first too. 4. In the end each file is one job.
    var other = Intake(
      admission: Admission(
        folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30)),
      store: queue.store, nextID: 10_000, log: { _ in })
    try queue.here.write("", to: "jobs/.hold-3")
    other.scan()
    requests = try other.takeBatch()
    #expect(requests == [ControlRequest(.hold, 3)], "3")
    while !other.isIdle { _ = try other.takeBatch() }
    #expect(try queued() == count, "4")
    #expect(try queue.here.names(in: "jobs") == [".hold-3", "refused"], "4")
  }
}
