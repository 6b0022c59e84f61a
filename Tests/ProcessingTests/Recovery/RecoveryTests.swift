import Formats
import FoundationEssentials
import Processing
import Store
import TestSupport
import Testing

@Suite struct RecoveryTests {
  @Test func `a claimed file without a row gets its row, under the id in its name`() throws {
    let queue = try Queue()
    try queue.here.write(Queue.document, to: "state/claimed/7-b.json")
    for _ in 1...2 {
      #expect(try queue.recover() == 8)
      let job = try queue.job(7)
      #expect(job.state == .queued && job.name == "b" && job.file == "7-b.json")
    }
  }

  @Test func `a claimed file that is no job is kept aside with its reason, and has a row`() throws {
    let queue = try Queue()
    try queue.here.write("{", to: "state/claimed/7-b.json")
    #expect(try queue.recover() == 8)
    #expect(try queue.job(7).state == .refused)
    #expect(try queue.here.names(in: "state/claimed") == [])
    #expect(try queue.here.names(in: "jobs/refused") == ["b.json", "b.json.reason.txt"])
  }

  @Test func `a running job goes back uncounted when the daemon died`() throws {
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    try FileManager.default.createDirectory(
      atPath: queue.here("results/.partial-1-1"), withIntermediateDirectories: false)
    for _ in 1...2 {
      #expect(try queue.recover() == 2)
      let job = try queue.job(1)
      #expect(job.state == .queued && job.attempts == 1 && job.countedAttempts == 0)
      #expect(try queue.here.names(in: "results") == [])
    }
  }

  // 1. What a queued job may go on with stays. 2. Without a record it goes, and 3. so does a record of no queued job.
  @Test func `a partial folder with a record stays for its job alone`() throws {
    let queue = try Queue()
    for id: Int64 in 1...3 {
      try queue.admit(id)
      try queue.start(id, owner: "boot/daemon/0")
      try FileManager.default.createDirectory(
        atPath: queue.here("results/.partial-\(id)-1"), withIntermediateDirectories: false)
    }
    for id in [1, 3, 9] {
      try? FileManager.default.createDirectory(
        atPath: queue.here("results/.partial-\(id)-1"), withIntermediateDirectories: false)
      try queue.here.write("", to: "results/.partial-\(id)-1/.progress")
    }
    let commit = JobCommit(folders: queue.folders, store: queue.store)
    try commit.end(
      try queue.job(3), attempt: 1, .failed(JobError(.cancelled, "a was cancelled while it ran")))
    for _ in 1...2 {
      _ = try queue.recover()
      #expect(try queue.here.names(in: "results") == [".partial-1-1"])
    }
    try queue.start(1, owner: "boot/daemon/0")
    try commit.end(try queue.job(1), attempt: 2, .died(.signalled(9)))
    #expect(try queue.here.names(in: "results") == [".partial-1-1"], "the next attempt may go on")
  }

  @Test
  func
    `a running job counts its attempt when the machine went down, and is quarantined at the third`()
    throws
  {
    let queue = try Queue()
    try queue.admit(1)
    for attempt in 1...3 {
      try queue.start(1, owner: "earlier boot/daemon/0")
      _ = try queue.recover()
      #expect(try queue.job(1).countedAttempts == attempt)
      // It is put off between its attempts.
      _ = try queue.store.record { (store) throws(StoreError) in try store.release(1) }
    }
    let job = try queue.job(1)
    #expect(job.state == .failed && job.reasonCode == "quarantined")
  }

  @Test func `a running job whose result was published has succeeded`() throws {
    let queue = try Queue()
    try queue.admit(1)
    try queue.start(1, owner: "boot/daemon/0")
    // 1. another job's result of the same name, 2. one of the same id but another file, 3. its own.
    let digest = try queue.digest
    try queue.publish("a", id: 9, digest: digest)
    try queue.publish("a-2", id: 1, digest: "0")
    try queue.publish("a-3", id: 1, digest: digest)
    _ = try queue.recover()
    let job = try queue.job(1)
    #expect(job.state == .succeeded && job.result == "a-3")
    #expect(try queue.here.names(in: "state/claimed") == [], "the claimed file has served")
  }

  @Test func `a queued job without its file fails with that reason`() throws {
    let queue = try Queue()
    try queue.admit(1, isClaimed: false)
    try queue.admit(2)
    _ = try queue.recover()
    #expect(try queue.job(1).state == .failed)
    #expect(
      try queue.job(1).reasonText
        == "cannot run a: its job file \(queue.folders.claimed)/1-a.json is gone")
    #expect(try queue.job(2).state == .queued)
  }

  @Test func `a kept file without a row gets it, once`() throws {
    let queue = try Queue()
    try queue.here.write("x", to: "jobs/refused/b.json")
    try queue.here.write("why it was refused\n", to: "jobs/refused/b.json.reason.txt")
    try queue.here.write("x", to: "jobs/refused/c.json")
    #expect(try queue.recover() == 3)
    #expect(try queue.recover() == 3)
    #expect(try queue.job(1).reasonText == "why it was refused")
    #expect(
      try queue.job(2).reasonText
        == "c.json was refused, and the daemon stopped before it wrote down why; drop it again")
    #expect(
      try queue.here.text(of: "jobs/refused/c.json.reason.txt") == (queue.job(2).reasonText ?? "")
        + "\n"
    )
  }

  // 1. The note of a file that a power cut put back into the inbox goes; 2. one beside its file, with a row or without,
  // stays; 3. so does a kept file whose name ends as a note's does, and has its row then.
  @Test func `the note of a refused file that is gone is removed, and no other`() throws {
    let queue = try Queue()
    try queue.here.write("why\n", to: "jobs/refused/a.json.reason.txt")
    try queue.refuse("b.json")
    try queue.here.write("x", to: "jobs/refused/c.json")
    try queue.refuse("d.reason.txt")
    try queue.here.write("x", to: "jobs/refused/e.reason.txt")
    for name in ["b.json", "c.json", "d.reason.txt", "e.reason.txt"] {
      try queue.here.write("why\n", to: "jobs/refused/\(name).reason.txt")
    }
    for _ in 1...2 {
      _ = try queue.recover()
      #expect(
        try queue.here.names(in: "jobs/refused") == [
          "b.json", "b.json.reason.txt", "c.json", "c.json.reason.txt", "d.reason.txt",
          "d.reason.txt.reason.txt", "e.reason.txt", "e.reason.txt.reason.txt",
        ])
      #expect(try queue.job(4).file == "e.reason.txt")
    }
  }

  @Test func `ids go on behind every claim and every row`() throws {
    let queue = try Queue()
    #expect(try queue.recover() == 1)
    try queue.admit(4)
    try queue.here.write(Queue.document, to: "state/claimed/9-b.json")
    #expect(try queue.recover() == 10)
  }

  @Test func `a partial folder of a run that still lives stays, one of a dead process goes`() throws
  {
    let queue = try Queue()
    let alive = ".partial-run-\(ProcessInfo.processInfo.processIdentifier)"
    for name in [alive, ".partial-run-999999999", ".partial-3-1"] {
      try FileManager.default.createDirectory(
        atPath: queue.here("results/\(name)"), withIntermediateDirectories: false)
    }
    _ = try queue.recover()
    #expect(try queue.here.names(in: "results") == [alive])
  }

  @Test func `what a start left that was killed while it tried a rename goes`() throws {
    let queue = try Queue()
    try queue.here.write("", to: "jobs/.probe-17")
    try queue.here.write("", to: "state/claimed/.probe-18")
    _ = try queue.recover()
    #expect(try queue.here.names(in: "jobs") == ["refused"])
    #expect(try queue.here.names(in: "state/claimed") == [])
  }
}
