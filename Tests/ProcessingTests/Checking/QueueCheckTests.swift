import Formats
import FoundationEssentials
import Jacobians
import Processing
import Store
import TestSupport
import Testing

/// One disagreement between files and store: how it is made, what is found, and what a repair leaves of it.
struct Disagreement: Sendable, CustomTestStringConvertible {
  let kind: Finding.Kind
  let words: String
  var isRepaired = true
  let make: @Sendable (Queue) throws -> Void

  var testDescription: String { kind.rawValue + ": " + words }

  static let all = [
    Disagreement(
      kind: .claimedWithoutRow, words: "7-b.json is claimed, but the store has no job 7"
    ) { try $0.here.write(Queue.document, to: "state/claimed/7-b.json") },
    Disagreement(kind: .claimedLeftover, words: "1-a.json is left over: job 1 has succeeded") {
      try $0.succeed(1, keepingClaim: true)
    },
    Disagreement(kind: .strangeClaim, words: "x is no claimed job file", isRepaired: false) {
      try $0.here.write("?", to: "state/claimed/x")
    },
    Disagreement(
      kind: .rowWithoutClaimed, words: "job 1 (a) is queued, but its job file"
    ) { try $0.admit(1, isClaimed: false) },
    Disagreement(
      kind: .runningWithoutDaemon, words: "job 1 (a) is running in the store, but no daemon runs"
    ) {
      try $0.admit(1)
      try $0.start(1, owner: "boot/daemon/0")
    },
    Disagreement(
      kind: .resultMissing, words: "job 1 (a) has succeeded, but its result", isRepaired: false
    ) {
      try $0.succeed(1)
      try FileManager.default.removeItem(atPath: $0.here("results/a"))
    },
    Disagreement(kind: .manifestWrong, words: "manifest.json: No such file", isRepaired: false) {
      try $0.succeed(1)
      try FileManager.default.removeItem(atPath: $0.here("results/a/manifest.json"))
    },
    Disagreement(kind: .manifestWrong, words: "is the result of job 9", isRepaired: false) {
      try $0.succeed(1, as: 9)
    },
    Disagreement(kind: .arrayWrong, words: "outputs.npy: No such file", isRepaired: false) {
      try $0.succeed(1)
      try FileManager.default.removeItem(atPath: $0.here("results/a/outputs.npy"))
    },
    Disagreement(
      kind: .arrayWrong, words: "the file ends before its numbers do", isRepaired: false
    ) {
      try $0.succeed(1)
      let path = $0.here("results/a/outputs.npy")
      try Data(Data(contentsOf: URL(filePath: path)).dropLast(3)).write(to: URL(filePath: path))
    },
    Disagreement(
      kind: .arrayWrong, words: "has shape [1, 1], and its manifest says [2, 1]", isRepaired: false
    ) { try $0.succeed(1, shape: [2, 1]) },
    Disagreement(
      kind: .publishedTwice, words: "is published twice: as a and as a-2", isRepaired: false
    ) {
      try $0.succeed(1)
      try $0.result("a-2", of: 1)
    },
    Disagreement(kind: .partialWithoutJob, words: ".partial-3-1 is a partial result of nothing") {
      try FileManager.default.createDirectory(
        atPath: $0.here("results/.partial-3-1"), withIntermediateDirectories: false)
    },
    Disagreement(kind: .refusedWithoutReason, words: "b.json.reason.txt is missing") {
      try $0.refuse("b.json")
    },
    Disagreement(kind: .refusedWithoutRow, words: "c.json was refused, but the store has no row") {
      try $0.here.write("x", to: "jobs/refused/c.json")
      try $0.here.write("why\n", to: "jobs/refused/c.json.reason.txt")
    },
    Disagreement(kind: .reasonWithoutFile, words: "says why a file was refused that is gone") {
      try $0.here.write("why\n", to: "jobs/refused/c.json.reason.txt")
    },
    Disagreement(kind: .controlOfNoJob, words: ".cancel-77 asks to cancel job 77, which") {
      try $0.here.write("", to: "jobs/.cancel-77")
    },
    Disagreement(kind: .controlOfNoJob, words: ".retry-x names no job's id") {
      try $0.here.write("", to: "jobs/.retry-x")
    },
    Disagreement(kind: .logWithoutJob, words: "77.log is of job 77, which the store does not") {
      JobLog($0.folders).note(77, "starts")
    },
    Disagreement(kind: .staleTemporary, words: ".probe-7 is left over from trying the folders") {
      try $0.here.write("", to: "state/claimed/.probe-7")
    },
    Disagreement(kind: .staleTemporary, words: "store.sqlite.copy is left over from making") {
      try $0.here.write("", to: "state/store.sqlite.copy")
    },
  ]
}

extension Queue {
  /// What a check finds, without a daemon.
  func findings() throws -> [Finding] {
    try store.record { store throws(StoreError) in
      do throws(QueueFault) {
        return try QueueCheck(folders, isServed: false).findings(in: store).findings
      } catch {
        throw StoreError(.other, "check", folders.store, reason: error.sentence)
      }
    }
  }

  /// A job that succeeded, and its result; `identity` is whose result its manifest says it is.
  func succeed(
    _ id: Int64, as identity: Int64? = nil, shape: [Int] = [1, 1], keepingClaim: Bool = false
  ) throws {
    try admit(id)
    try start(id, owner: "boot/daemon/0")
    try result("a", of: identity ?? id, shape: shape)
    _ = try store.record { store throws(StoreError) in
      try store.finish(id, attempt: 1, .succeeded(result: "a", bytes: 8))
    }
    if !keepingClaim {
      try FileManager.default.removeItem(atPath: here("state/claimed/\(id)-a.json"))
    }
  }

  /// A result folder with one array of shape 1 × 1.
  func result(_ folder: String, of id: Int64, shape: [Int] = [1, 1]) throws {
    try FileManager.default.createDirectory(
      atPath: here("results/\(folder)"), withIntermediateDirectories: false)
    let numbers = NPYHeader(shape: [1, 1], type: .float64).bytes + [UInt8](repeating: 0, count: 8)
    try Data(numbers).write(to: URL(filePath: here("results/\(folder)/outputs.npy")))
    try here.write(
      """
      {"id": \(id), "name": "a", "attempt": 1, "job_file_sha256": "\(try digest)", "took": {"seconds": 0.5},
        "arrays": [{"file": "outputs.npy", "shape": \(shape), "bytes": 8}]}
      """, to: "results/\(folder)/manifest.json")
  }

  /// A refused file and its row, without the note.
  func refuse(_ name: String) throws {
    try here.write("x", to: "jobs/refused/\(name)")
    let row = NewJob(id: nil, name: name, file: name, uid: 0, inode: 1, modified: 1)
    _ = try store.record { store throws(StoreError) in
      try store.refuse(row, because: JobReason(code: "invalid", text: "because"))
    }
  }
}

@Suite struct QueueCheckTests {
  @Test func `a queue in order has no findings`() throws {
    let queue = try Queue()
    try queue.succeed(1)
    try queue.admit(2)
    try queue.refuse("b.json")
    try queue.here.write("because\n", to: "jobs/refused/b.json.reason.txt")
    // What says `.reason.txt` and is itself a refused file is none of the notes.
    try queue.refuse("c.reason.txt")
    try queue.here.write("because\n", to: "jobs/refused/c.reason.txt.reason.txt")
    try queue.here.write("", to: "jobs/.cancel-2")
    // Of a job that is not in the store any more, or of `nnjobs run`.
    try queue.publish("old", id: 0, digest: "")
    #expect(try queue.findings() == [])
  }

  @Test(arguments: Disagreement.all)
  func `each disagreement is found with its cure, and a repair leaves what only a human can do`(
    case disagreement: Disagreement
  ) throws {
    let queue = try Queue()
    try disagreement.make(queue)
    let found = try queue.findings()
    #expect(found.map(\.kind) == [disagreement.kind])
    #expect(found.first?.sentence.contains(disagreement.words) ?? false, "\(found)")
    for finding in found { try finding.repair(in: queue.folders) }
    _ = try queue.recover()
    let left = try queue.findings().map(\.kind)
    #expect(left == (disagreement.isRepaired ? [] : [disagreement.kind]))
  }

  @Test func `every kind of finding is tried`() {
    // A wrong total takes a damaged store: the triggers do not let it happen.
    let untried = Set(Finding.Kind.allCases).subtracting(Disagreement.all.map(\.kind))
    #expect(untried == [.totalsWrong])
  }
}
