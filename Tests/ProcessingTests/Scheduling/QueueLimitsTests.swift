import Foundation
import Processing
import Store
import TestSupport
import Testing

@Suite struct QueueLimitsTests {
  private func settings(_ lines: String) throws -> QueueLimits {
    QueueLimits(try Configuration(text: lines, file: "c"), daemonUser: 77)
  }

  /// Admits a file with these keys to a queue with these limits.
  private func admit(_ keys: String, _ limits: QueueLimits) throws -> Admission.Verdict {
    let queue = try Queue()
    let text = Queue.document.dropLast() + ", \(keys)}"
    try queue.here.write(String(text), to: "jobs/a.json")
    let admission = Admission(
      folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30), limits: limits)
    return admission.examine(JobFileName("a.json"))
  }

  @Test(
    arguments: [
      (#""priority": 0"#, "", nil), (#""time_limit": 90"#, "", 90),
      (#""priority": 0"#, "time_limit = 60", 60), (#""time_limit": 90"#, "time_limit = 60", 90),
      (#""priority": 0"#, "longest_time = 50", 50),
      (#""priority": 0"#, "time_limit = 60\nlongest_time = 50", 50),
      (#""time_limit": 40"#, "time_limit = 60\nlongest_time = 50", 40),
    ] as [(String, String, Double?)])
  func `a job's time limit is its own, else the usual one`(
    keys: String, lines: String, expected: Double?
  ) throws {
    guard case .admissible(let file) = try admit(keys, settings(lines)) else {
      Issue.record("not admitted")
      return
    }
    #expect(file.row(id: 1).timeLimit == expected)
  }

  @Test func `a job that asks for more time than there is is refused with the numbers`() throws {
    guard
      case .refused(let error, _) = try admit(
        #""time_limit": 90.5"#, settings("longest_time = 50"))
    else {
      Issue.record("not refused")
      return
    }
    #expect(error.code == .doesNotFit)
    #expect(
      error.sentence.hasSuffix(
        "does not fit: its time_limit is 90.5 s, and this queue allows 50 s; ask for less, or "
          + "split it into several jobs"))
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root can give a file away"),
    arguments: [
      (UInt32(0), 9, 9), (77, 9, 9), (5, 9, 0), (5, -3, -3), (5, 0, 0),
    ])
  func `a user's priority is bounded, root's and the daemon's own are not`(
    uid: UInt32, wanted: Int, expected: Int
  ) throws {
    let queue = try Queue()
    let text = Queue.document.dropLast() + #", "priority": \#(wanted)}"#
    try queue.here.write(String(text), to: "jobs/a.json")
    unsafe chown(queue.here("jobs/a.json"), uid, 0)
    let admission = Admission(
      folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30),
      limits: try settings(""))
    guard case .admissible(let file) = admission.examine(JobFileName("a.json")) else {
      Issue.record("not admitted")
      return
    }
    #expect(file.row(id: 1).priority == expected)
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root can give a file away"),
    arguments: [
      (UInt32(5), "20 KiB", true), (5, "21 KiB", false), (77, "1", false), (0, "1", false),
    ])
  func `a job larger than all results of its user may be is refused with the numbers`(
    uid: UInt32, limit: String, isRefused: Bool
  ) throws {
    let queue = try Queue()
    try queue.here.write(Queue.document, to: "jobs/a.json")
    unsafe chown(queue.here("jobs/a.json"), uid, 0)
    let admission = Admission(
      folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30),
      limits: try settings("user_results = \(limit)"))
    guard case .refused(let error, _) = admission.examine(JobFileName("a.json")) else {
      #expect(!isRefused)
      return
    }
    #expect(isRefused && error.code == .doesNotFit)
    #expect(
      error.sentence.hasSuffix(
        "does not fit: its results take 20.3 KiB, and all results of one user may take 20.0 KiB "
          + "here; ask for the factored form, for fewer outputs, parameters or samples"))
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
  func `a user's files wait in the inbox while as many of their jobs are queued as may be`() throws
  {
    let queue = try Queue()
    for k in 1...5 {
      try queue.here.write(Queue.document, to: "jobs/a\(k).json")
      unsafe chown(queue.here("jobs/a\(k).json"), 5, 0)
    }
    try queue.here.write(Queue.document, to: "jobs/root.json")
    var intake = Intake(
      admission: Admission(
        folders: queue.folders, machine: MachineLimits(cores: 1, memory: 1 << 30),
        limits: try settings("user_queued = 2")),
      store: queue.store, nextID: 1, log: { _ in })
    func queued() throws -> Int? {
      intake.scan()
      _ = try intake.takeBatch()
      return try queue.store.record { (store) throws(StoreError) in
        try store.totals(uid: 5)[.queued]
      }
    }
    #expect(try queued() == 2)
    #expect(try queued() == 2)
    #expect(try queue.here.names(in: "jobs").count == 4, "three wait beside the refused folder")
    let ids = try queue.store.record { (store) throws(StoreError) in
      try store.readyHeads().filter { $0.uid == 5 }.map(\.id)
    }
    try queue.start(try #require(ids.first), owner: "o")
    #expect(try queued() == 2)
    #expect(try queue.here.names(in: "jobs").count == 3)
  }
}
