import Formats
import Glibc
import Processing
import Store

/// The queue of one case: `jobs/`, `results/` and `.nnjobs/` in a folder of its own.
struct CrashQueue: Sendable {
  /// The case's folder, a real path.
  let folder: String
  /// Its queue's folders.
  let folders: QueueFolders

  /// The job that waits, held, from the start, and that is cancelled.
  static let held: Int64 = 1

  /// Names the queue in a folder.
  init(in folder: String) {
    self.folder = folder
    folders = QueueFolders(
      jobs: folder + "/jobs", results: folder + "/results", state: folder + "/.nnjobs")
  }

  /// Makes the folders that a user makes.
  func make() throws(SystemError) {
    for path in [folder, folders.jobs, folders.results] { try FolderTree.make(path) }
  }

  /// Puts a job file into the inbox for good.
  func drop(_ text: String, as name: String) throws(SystemError) {
    let temporary = "\(folders.jobs)/.tmp-\(name)"
    try FolderTree.write(Array(text.utf8), to: temporary)
    try SystemCall.retrying("rename", temporary) {
      unsafe rename(temporary, "\(folders.jobs)/\(name)")
    }
    try Descriptor.synchronizeFolder(folders.jobs)
  }

  /// Makes the store as an earlier daemon left it: with one job, which is held.
  func addHeldJob(_ text: String, named name: String) throws {
    try folders.prepare()
    try FolderTree.write(Array(text.utf8), to: "\(folders.claimed)/\(CrashQueue.held)-\(name)")
    let store = JobStore(try Store(opening: folders.store, access: .readWrite))
    let admission = Admission(folders: folders, machine: MachineLimits.ofThisMachine())
    _ = try Recovery(
      admission: admission, store: store, commit: JobCommit(folders: folders, store: store),
      bootID: BootID.current, log: { _ in }
    ).run()
    try store.record { (store) throws(StoreError) in
      _ = try store.hold(CrashQueue.held)
      try store.checkpoint()
    }
  }

  /// All rows, in order of ids.
  func rows() throws(StoreError) -> [Job] { try folders.openStore().jobs(JobFilter()).reversed() }

  /// The names in the inbox: job files and requests that nobody has taken.
  func inbox() throws(SystemError) -> [String] {
    try names(in: folders.jobs).filter { name in
      name != "refused" && !name.hasPrefix(".tmp-") && !name.hasPrefix(QueueFolders.probePrefix)
    }
  }

  /// Whether nothing is left to do: the inbox is empty, and every job, at least `count`, has ended or is held.
  func isSettled(count: Int) -> Bool {
    // What cannot be read yet, as the store that is being made, is not settled.
    guard let inbox = try? inbox(), inbox.isEmpty, let rows = try? rows() else { return false }
    // Between its claim and its row a file is in neither place looked at here.
    let claims = ((try? names(in: folders.claimed)) ?? []).compactMap { ClaimedFile(fileName: $0) }
    let known = Set(rows.map(\.id))
    return rows.count >= count && rows.allSatisfy { $0.state.isFinal || $0.isHeld }
      && claims.allSatisfy { known.contains($0.id) }
  }

  /// The names in a folder, in order.
  func names(in path: String) throws(SystemError) -> [String] {
    try FolderTree.names(in: path).map { String(decoding: $0, as: UTF8.self) }.sorted()
  }

  /// Every file of a result but its manifest, by its path there.
  func contents(of result: String) throws(SystemError) -> [String: [UInt8]] {
    try contents(beneath: "\(folders.results)/\(result)").filter { $0.key != "manifest.json" }
  }

  private func contents(beneath path: String) throws(SystemError) -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try names(in: path) {
      do throws(SystemError) {
        for (inner, bytes) in try self.contents(beneath: "\(path)/\(name)") {
          contents["\(name)/\(inner)"] = bytes
        }
      } catch {
        guard error.code == ENOTDIR else { throw error }
        let file = try Descriptor(opening: "\(path)/\(name)", O_RDONLY)
        contents[name] = try file.read(count: try file.size(), at: 0)
      }
    }
    return contents
  }
}
