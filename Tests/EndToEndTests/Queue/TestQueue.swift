import Formats
import Foundation
import Store
import TestSupport
import Testing

/// A queue in a new folder, as its users see it: files dropped, rows and results read.
final class TestQueue: Sendable {
  /// Holds `jobs`, `results`, `.nnjobs`, `staging` and the daemon's log.
  let folder: TemporaryFolder

  /// Makes the inbox and a folder on the same file system in which files are prepared.
  init() throws {
    folder = try TemporaryFolder()
    for name in ["jobs", "results", "staging"] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: false)
    }
  }

  // MARK: dropping

  /// Drops a file the way a careful program does: written elsewhere, then renamed into the inbox.
  func drop(_ bytes: [UInt8], as name: String) throws {
    try Data(bytes).write(to: URL(filePath: folder("staging/" + name)))
    try moveIn(name)
  }

  /// Drops a text.
  func drop(_ text: String, as name: String) throws { try drop(Array(text.utf8), as: name) }

  /// Drops a file of which only the head is written; the zeros behind it take no room on disk.
  func drop(_ file: (head: [UInt8], zeros: Int), as name: String) throws {
    let path = folder("staging/" + name)
    try Data(file.head).write(to: URL(filePath: path))
    guard unsafe truncate(path, file.head.count + file.zeros) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
    try moveIn(name)
  }

  /// Renames something prepared in `staging` into the inbox.
  func moveIn(_ name: String) throws {
    guard unsafe rename(folder("staging/" + name), folder("jobs/" + name)) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
  }

  /// Asks the daemon for something by a control file, as `cancel`, 17.
  func ask(_ verb: String, _ id: Int64) throws {
    try Data().write(to: URL(filePath: folder("jobs/.\(verb)-\(id)")))
  }

  /// Runs `nnjobs` in the queue's folder.
  func nnjobs(
    _ arguments: String..., input: String = "", environment: [String: String] = [:]
  ) async throws -> ProgramRun {
    try await ProgramRun(
      Binaries.nnjobs, arguments, in: folder, input: input, environment: environment)
  }

  // MARK: the store

  /// Every row, in order of ids; none before the first daemon made the store.
  func jobs() throws -> [Job] {
    guard isThere(".nnjobs/store.sqlite") else { return [] }
    let store = try Store(
      opening: folder(".nnjobs/store.sqlite"), access: .readOnly(daemonIsRunning: true))
    return try store.jobs(JobFilter()).reversed()
  }

  /// The newest row of that name.
  func job(_ name: String) throws -> Job? { try jobs().last { $0.name == name } }

  /// The row of that id.
  func job(_ id: Int64) throws -> Job? { try jobs().first { $0.id == id } }

  /// Waits until the newest row of that name is in one of some states, final ones unless others are named.
  @discardableResult
  func wait(
    for name: String, _ states: Set<JobState> = [.succeeded, .failed, .cancelled, .refused],
    within limit: Duration = .seconds(40)
  ) async throws -> Job {
    var found: Job?
    do {
      try await eventually(within: limit, "\(name) is \(states.map(\.rawValue).sorted())") {
        found = try job(name)
        return found.map { states.contains($0.state) } ?? false
      }
    } catch is DeadlinePassed {
      throw DeadlinePassed(
        "\(name) did not become \(states.map(\.rawValue)), it is \(String(describing: found)); log:\n\(log)"
      )
    }
    return try #require(found)
  }

  /// Waits until so many rows are final.
  func wait(forCount count: Int, within limit: Duration = .seconds(40)) async throws {
    do {
      try await eventually(within: limit, "\(count) jobs end") {
        try jobs().count { $0.state.isFinal } >= count
      }
    } catch is DeadlinePassed {
      let states = try jobs().map { "\($0.id) \($0.name) \($0.state.rawValue)" }
      throw DeadlinePassed("\(count) jobs did not end: \(states); log:\n\(log)")
    }
  }

  // MARK: files

  /// Whether there is anything of that name, a link itself included.
  func isThere(_ name: String) -> Bool {
    var status = stat()
    return unsafe lstat(folder(name), &status) == 0
  }

  /// What the daemons of this queue wrote to standard error.
  var log: String { (try? folder.text(of: "daemon.log")) ?? "" }

  /// The arrays of a published result by their paths without ending, and whatever else its folder holds.
  func result(_ name: String) throws -> PublishedFolder {
    try PublishedFolder(folder("results/" + name))
  }
}
