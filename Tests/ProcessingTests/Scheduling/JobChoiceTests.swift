import Foundation
import Processing
import Store
import TestSupport
import Testing

@Suite struct JobChoiceTests {
  private let queue: Queue
  private let machine = MachineLimits(cores: 2, memory: 100)

  init() throws { queue = try Queue() }

  private func admit(
    _ id: Int64, uid: UInt32 = 1, priority: Int = 0, memory: Int64 = 0, disk: Int64 = 0
  ) throws {
    let row = NewJob(
      id: id, name: "n\(id)", file: "\(id)-n.json", uid: uid, priority: priority, memory: memory,
      inode: UInt64(id), modified: 1, disk: disk)
    try queue.store.record { (store) throws(StoreError) in _ = try store.admit(row) }
  }

  /// The ids of what starts, one after the other, until nothing does; each uses a core for `seconds`.
  private func starts(
    _ count: Int, fair: inout FairOrder, limits: QueueLimits = QueueLimits(), seconds: Double = 1
  ) throws -> [Int64] {
    let choice = JobChoice(store: queue.store, limits: limits, results: queue.folders.results)
    var ids: [Int64] = []
    var now = 1000.0
    for _ in 1...10 * count where ids.count < count {
      switch try choice.next(
        fair, running: [], reservation: Reservation(of: machine), at: now)
      {
      case .nothing: return ids
      case .again: continue
      case .start(let job):
        _ = try queue.store.record { (store) throws(StoreError) in
          try store.start(job.id, owner: "o")
        }
        ids.append(job.id)
        fair.count(FairOrder.Use(uid: job.uid, cores: 1, since: now), until: now + seconds)
        now += seconds
      }
    }
    return ids
  }

  @Test func `users take turns, whatever order their jobs came in`() throws {
    for id in 1...6 { try admit(Int64(id), uid: 1) }
    for id in 7...9 { try admit(Int64(id), uid: 2) }
    try admit(10, uid: 3)
    var fair = FairOrder()
    #expect(try starts(10, fair: &fair) == [1, 7, 10, 2, 8, 3, 9, 4, 5, 6])
  }

  @Test func `who has had more of the machine waits for who has had less`() throws {
    for id in 1...3 { try admit(Int64(id), uid: 1) }
    for id in 4...6 { try admit(Int64(id), uid: 2) }
    var fair = FairOrder([1: UserShare(coreSeconds: 2.5, asOf: 1000)])
    #expect(try starts(6, fair: &fair) == [4, 5, 6, 1, 2, 3])
  }

  @Test func `priority goes before shares, and both before ids`() throws {
    try admit(1, uid: 1)
    try admit(2, uid: 2, priority: 5)
    try admit(3, uid: 2, priority: 5)
    try admit(4, uid: 1, priority: 5)
    var fair = FairOrder()
    #expect(try starts(4, fair: &fair) == [2, 4, 3, 1])
  }

  @Test func `what runs counts for its user while it runs`() throws {
    let jobs = try [(1, UInt32(1)), (2, 2)].map { id, uid in
      try admit(Int64(id), uid: uid)
      return try queue.job(Int64(id))
    }
    let use = FairOrder.Use(uid: 1, cores: 2, since: 90)
    let fair = FairOrder([2: UserShare(coreSeconds: 15, asOf: 100)])
    #expect(fair.order(jobs, running: [use], at: 100).map(\.id) == [2, 1])
    #expect(fair.order(jobs, running: [use], at: 97).map(\.id) == [1, 2])
    #expect(fair.order(jobs, running: [], at: 100).map(\.id) == [1, 2])
  }

  @Test func `a job without room is put off with its reason, and smaller ones pass`() throws {
    for id in 1...3 { try admit(Int64(id), disk: .max / 4) }
    try admit(4, disk: 4096)
    var fair = FairOrder()
    #expect(try starts(4, fair: &fair) == [4])
    for id in 1...3 {
      let job = try queue.job(Int64(id))
      #expect(job.state == .queued && job.notBefore != nil && job.delays == 1)
      #expect(job.reasonCode == "disk-full")
      #expect(job.reasonText?.hasPrefix("n\(id) waits for room: its results take ") == true)
    }
  }

  @Test func `the disk that running jobs have not taken yet is not given away`() throws {
    try admit(1, disk: 1000)
    let folder = queue.folders.results
    let job = try queue.job(1)
    let free = try MachineLimits.freeDisk(at: folder)
    let none = try DiskRoom(of: folder, promises: [], for: .max)
    #expect(none.promised == 0)
    try admit(2, disk: Int64(free))
    let large = DiskRoom.Promise(to: try queue.job(2), attempt: 1)
    let room = try DiskRoom(of: folder, promises: [large], for: 1000)
    // Others write to this disk too.
    #expect(room.promised == free && room.left < 1 << 30)
    #expect(DiskRoom(free: 1999, promised: 1000).holds(job, keptIn: folder) == false)
    #expect(DiskRoom(free: 2000, promised: 1000).holds(job, keptIn: folder))
    // What it has reserved is no longer free, and counts once.
    try FileManager.default.createDirectory(
      atPath: folder + "/.partial-2-1", withIntermediateDirectories: false)
    try Data(count: 1 << 20).write(to: URL(filePath: folder + "/.partial-2-1/a.npy"))
    let later = try DiskRoom(of: folder, promises: [large], for: .max)
    #expect((1...(free - 1 << 20)).contains(later.promised) || later.promised < free)
  }

  @Test func `what an earlier attempt has kept on the disk needs no room a second time`() throws {
    try admit(1, disk: 1 << 20)
    try queue.start(1, owner: "boot/daemon/0")
    let folder = queue.folders.results
    let partial = folder + "/.partial-1-1"
    try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false)
    try Data(count: 1 << 20).write(to: URL(filePath: partial + "/a.npy"))
    let none = DiskRoom(free: 0, promised: 0)
    #expect(try !none.holds(queue.job(1), keptIn: folder), "nobody goes on without a record")
    try Data().write(to: URL(filePath: partial + "/.progress"))
    #expect(try none.holds(queue.job(1), keptIn: folder))
  }

  @Test func `a user at their limit is passed over, root and the daemon's own user are not`() throws
  {
    var settings = Configuration()
    settings.userRunning = 1
    let limits = QueueLimits(settings, daemonUser: 77)
    let choice = JobChoice(store: queue.store, limits: limits, results: queue.folders.results)
    func next(_ running: [JobChoice.Running]) throws -> Int64? {
      let reservation = Reservation(of: machine)
      guard
        case .start(let job) = try choice.next(
          FairOrder(), running: running, reservation: reservation)
      else { return nil }
      return job.id
    }
    for (id, uid) in [(1, UInt32(1)), (2, 1), (3, 77), (4, 77), (5, 0), (6, 0)] {
      try admit(Int64(id), uid: uid)
    }
    func running(_ id: Int64) throws -> JobChoice.Running {
      let job = try queue.job(id)
      _ = try queue.store.record { (store) throws(StoreError) in try store.start(id, owner: "o") }
      return JobChoice.Running(
        job: job, attempt: 1, use: FairOrder.Use(uid: job.uid, cores: 1, since: 0))
    }
    var runs: [JobChoice.Running] = []
    // Of two who have had nothing the lower id goes first, then who has had less.
    for id in [1, 3, 5, 4, 6] as [Int64] {
      #expect(try next(runs) == id)
      runs.append(try running(id))
    }
    #expect(try next(runs) == nil)
    #expect(try next(Array(runs.dropFirst())) == 2)
  }

  private func limits(results: Int) -> QueueLimits {
    var settings = Configuration()
    settings.userResults = results
    return QueueLimits(settings, daemonUser: 77)
  }

  /// Ends a job's first attempt with a result that is published in a folder `r<id>`.
  private func succeed(_ id: Int64) throws {
    try FileManager.default.createDirectory(
      atPath: queue.folders.results + "/r\(id)", withIntermediateDirectories: false)
    let isDone = try queue.store.record { (store) throws(StoreError) in
      try store.finish(id, attempt: 1, .succeeded(result: "r\(id)", bytes: 1))
    }
    #expect(isDone)
  }

  /// What a user's results take, and what their running jobs' will.
  private func bytes(of uid: UInt32) throws -> [Int64] {
    try queue.store.record { (store) throws(StoreError) in
      let sums = try store.resultBytes(of: uid)
      return [sums.kept, sums.promised]
    }
  }

  @Test func `what a user's results may take is reserved at the start, and kept to the end`() throws
  {
    for id in 1...4 { try admit(Int64(id), uid: 5, disk: 40) }
    try admit(5, uid: 5, disk: 20)
    try admit(6, uid: 77, disk: 1000)
    var fair = FairOrder()
    // Two of 40 have room in 100, and the one of 20 passes the others; the daemon's own user is not limited.
    #expect(try starts(6, fair: &fair, limits: limits(results: 100)) == [1, 6, 2, 5])
    let waiting = try queue.job(3)
    #expect(waiting.notBefore != nil && waiting.reasonCode == "user-results")
    #expect(
      waiting.reasonText
        == "n3 waits for room: its results take 40 B; its user's take 0 B, its running jobs will take "
        + "80 B, and one user's may take 100 B in all; remove results that are no longer needed, as "
        + "with nnjobs remove --with-results or nnjobs clean --with-results")
    // An end changes nothing: what was promised is what the result takes.
    try succeed(1)
    #expect(try bytes(of: 5) == [40, 60])
    _ = try queue.store.record { (store) throws(StoreError) in try store.release(3) }
    #expect(try starts(1, fair: &fair, limits: limits(results: 100)) == [])
    // A failure gives back what was promised.
    _ = try queue.store.record { (store) throws(StoreError) in
      try store.finish(2, attempt: 1, .failed(JobReason(code: "c", text: "t")))
    }
    try queue.store.record { (store) throws(StoreError) in
      try store.letGoOn(of: 5, waitingFor: ResultRoom.code)
    }
    #expect(try starts(2, fair: &fair, limits: limits(results: 100)) == [3])
  }

  @Test func `results that somebody removed count no more, those of forgotten jobs do`() throws {
    for id in 1...3 { try admit(Int64(id), uid: 5, disk: 40) }
    var fair = FairOrder()
    #expect(try starts(1, fair: &fair) == [1])
    try succeed(1)
    _ = try queue.store.record { (store) throws(StoreError) in try store.remove(1) }
    #expect(try starts(3, fair: &fair, limits: limits(results: 80)) == [2])
    try FileManager.default.removeItem(atPath: queue.folders.results + "/r1")
    _ = try queue.store.record { (store) throws(StoreError) in try store.release(3) }
    #expect(try starts(1, fair: &fair, limits: limits(results: 80)) == [3])
    #expect(try bytes(of: 5) == [0, 80])
  }

  @Test func `a job that waits for its user's results keeps nobody from memory`() throws {
    try admit(1, uid: 5, memory: 60, disk: 40)
    try admit(2, uid: 6, memory: 1, disk: 1)
    var reservation = Reservation(of: machine)
    _ = reservation.take(cores: 1, memory: 50)
    let choice = JobChoice(
      store: queue.store, limits: limits(results: 10), results: queue.folders.results)
    for expected in [nil, 2] as [Int64?] {
      var started: Int64?
      if case .start(let job) = try choice.next(FairOrder(), running: [], reservation: reservation)
      {
        started = job.id
      }
      #expect(started == expected)
    }
    let reason = try queue.job(1).reasonText
    #expect(reason?.contains("it can never start unless the limit is raised") == true)
  }

  @Test func `a job that lacks memory is waited for, not overtaken`() throws {
    try admit(1, memory: 60)
    try admit(2, memory: 1)
    var reservation = Reservation(of: machine)
    _ = reservation.take(cores: 1, memory: 50)
    let choice = JobChoice(
      store: queue.store, limits: QueueLimits(), results: queue.folders.results)
    guard case .nothing = try choice.next(FairOrder(), running: [], reservation: reservation)
    else {
      Issue.record("it was overtaken")
      return
    }
  }
}
