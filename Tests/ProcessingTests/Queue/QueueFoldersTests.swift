import Dispatch
import Processing
import Synchronization
import TestSupport
import Testing

@Suite struct QueueFoldersTests {
  @Test func `an option wins over the environment, and that over the configuration`() throws {
    var configuration = Configuration()
    configuration.jobs = "/c/jobs"
    configuration.results = "/c/results"
    configuration.state = "/c/state"
    let folders = try QueueFolders.find(
      jobs: "/o/jobs/", results: nil, state: nil, environment: ["NNJOBS_RESULTS": "/e/results"],
      configuration: configuration)
    #expect(folders == QueueFolders(jobs: "/o/jobs", results: "/e/results", state: "/c/state"))
  }

  @Test func `a queue that is nowhere is an error that says where it could be`() {
    #expect(
      QueueError.noFolder(role: "state").sentence
        == "cannot find the queue's state folder: name it with --state, set NNJOBS_STATE, or go to a "
        + "folder that has .nnjobs/")
  }

  @Test func `preparing makes what is missing, twice as once, and leaves no probe behind`() throws {
    let here = try TemporaryFolder()
    let folders = QueueFolders(
      jobs: here("jobs"), results: here("results"), state: here("state"))
    try folders.prepare()
    try folders.prepare()
    #expect(try here.names(in: "") == ["jobs", "results", "state"])
    #expect(try here.names(in: "jobs") == ["refused"])
    #expect(try here.names(in: "state") == ["claimed", "logs"])
    #expect(try here.names(in: "state/claimed") == [])
  }

  @Test func `one daemon holds the lock, and asking does not take it`() throws {
    let here = try TemporaryFolder()
    let folders = QueueFolders(
      jobs: here("jobs"), results: here("results"), state: here("state"))
    try folders.prepare()
    #expect(!folders.isDaemonRunning)
    do {
      let lock = try DaemonLock.take(folders)
      #expect(folders.isDaemonRunning)
      #expect(throws: QueueError.alreadyServed(state: folders.state)) {
        _ = try DaemonLock.take(folders)
      }
      #expect(folders.isDaemonRunning)
      _ = consume lock
    }
    #expect(!folders.isDaemonRunning)
  }

  @Test(.timeLimit(.minutes(1)))
  func `a lock that is let go of meanwhile is waited for`() throws {
    let here = try TemporaryFolder()
    let folders = QueueFolders(
      jobs: here("jobs"), results: here("results"), state: here("state"))
    try folders.prepare()
    let other = OtherDaemon(try DaemonLock.take(folders))
    #expect(throws: QueueError.alreadyServed(state: folders.state)) {
      _ = try DaemonLock.take(folders, seconds: 0.02)
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { other.end() }
    _ = try DaemonLock.take(folders, seconds: 50)
  }
}

/// A daemon's lock, to be let go of from another thread.
private final class OtherDaemon: Sendable {
  private let lock: Mutex<DaemonLock?>

  init(_ lock: consuming sending DaemonLock) { self.lock = Mutex(lock) }

  func end() { lock.withLock { $0 = nil } }
}
