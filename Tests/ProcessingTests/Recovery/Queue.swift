import Formats
import FoundationEssentials
import Processing
import Store
import TestSupport
import Testing

/// A queue's folders and store in some state that a crash may leave.
struct Queue {
  /// A job file's text.
  static let document = """
    {"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1, 2]], "activation": "tanh"}]}, \
    "inputs": [1, 2], "gradients": ["outputs"]}
    """
  /// Where it all is.
  let here: TemporaryFolder
  /// The queue's folders in it.
  let folders: QueueFolders
  /// The queue's store.
  let store: JobStore

  /// Makes an empty queue.
  init() throws {
    here = try TemporaryFolder()
    folders = QueueFolders(jobs: here("jobs"), results: here("results"), state: here("state"))
    try folders.prepare()
    store = JobStore(try Store(opening: folders.store, access: .readWrite))
  }

  /// Recovers; gives the id that comes next.
  func recover(bootID: String = "boot") throws -> Int64 {
    let admission = Admission(
      folders: folders, machine: MachineLimits(cores: 1, memory: 1 << 30))
    return try Recovery(
      admission: admission, store: store, commit: JobCommit(folders: folders, store: store),
      bootID: bootID, log: { _ in }
    ).run()
  }

  /// Admits a job, with its claimed file or without.
  func admit(_ id: Int64, isClaimed: Bool = true) throws {
    if isClaimed { try here.write(Queue.document, to: "state/claimed/\(id)-a.json") }
    let row = NewJob(
      id: id, name: "a", file: "\(id)-a.json", uid: 0, inode: UInt64(id), modified: 1)
    try store.record { (store) throws(StoreError) in _ = try store.admit(row) }
  }

  /// Starts a job's next attempt.
  func start(_ id: Int64, owner: String) throws {
    _ = try store.record { (store) throws(StoreError) in try store.start(id, owner: owner) }
  }

  /// A job's row.
  func job(_ id: Int64) throws -> Job {
    try #require(try store.record { (store) throws(StoreError) in try store.job(id) })
  }

  /// Publishes a folder that has a manifest and nothing else.
  func publish(_ folder: String, id: Int64, digest: String) throws {
    try FileManager.default.createDirectory(
      atPath: here("results/\(folder)"), withIntermediateDirectories: false)
    try here.write(
      "{\"id\": \(id), \"job_file_sha256\": \"\(digest)\"}",
      to: "results/\(folder)/manifest.json")
  }

  /// The digest of every job's file here.
  var digest: String {
    get throws {
      try here.write(Queue.document, to: "digest")
      return try JobDigest.sha256(of: try Descriptor(opening: here("digest"), 0))
    }
  }
}
