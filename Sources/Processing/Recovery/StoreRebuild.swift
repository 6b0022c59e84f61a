import Formats
import Glibc
import Store

/// Making a queue's store anew from its files, when the old one cannot be read or is gone.
///
/// What the old store still tells is taken over row by row; published results give back the rows it lost. Claimed and
/// refused files need nothing here: `Recovery` gives them theirs. The new store is made whole beside the old one,
/// and there is never a moment in which a daemon would start empty, or on half of a store: as long as there is a
/// `store.sqlite.rebuilt` it refuses to start, and the same command finishes.
package struct StoreRebuild: Sendable {
  /// What the names of old stores begin with.
  package static let keptPrefix = "store.sqlite.kept-"
  /// How many ids are left out, since the lost store may have given them to jobs that left no file.
  package static let margin: Int64 = 1000

  private let folders: QueueFolders

  /// Prepares to rebuild a queue's store, which nobody may serve meanwhile.
  package init(_ folders: QueueFolders) { self.folders = folders }

  /// What a rebuild did.
  package struct Outcome: Hashable, Sendable {
    /// Where the old store is kept; nil when there was none.
    package let kept: String?
    /// Rows that the old store still told.
    package let salvaged: Int
    /// Rows made again from published results.
    package let restored: Int
    /// No id up to this one will be given again.
    package let reserved: Int64
  }

  private var rebuilt: String { folders.store + ".rebuilt" }
  private var half: String { folders.store + ".half" }
  private var copied: String { folders.store + ".copy" }

  /// Makes the new store and puts it in the old one's place.
  package func run(now: Double = Store.now) throws(QueueFault) -> Outcome {
    // A rebuild that was interrupted once the new store was whole has only its last steps to do.
    var counts = (salvaged: 0, restored: 0, reserved: Int64(0))
    for base in [half, copied] { removeStore(base) }
    if !FolderTree.isThere(rebuilt) { counts = try make() }
    let kept = try QueueFault.files { () throws(SystemError) in try replace(now) }
    return Outcome(
      kept: kept, salvaged: counts.salvaged, restored: counts.restored, reserved: counts.reserved)
  }

  /// Makes the new store under another name, and gives it that of a whole one at the end.
  private func make() throws(QueueFault) -> (salvaged: Int, restored: Int, reserved: Int64) {
    defer { removeStore(copied) }
    let isCopied = try QueueFault.files { () throws(SystemError) in
      let isThere = try self.copy(folders.store, to: copied)
      _ = try self.copy(folders.store + "-wal", to: copied + "-wal")
      return isThere
    }
    let results = try results()
    let counts = try QueueFault.store { () throws(StoreError) -> (Int, Int, Int64) in
      let store = try Store(opening: half, access: .readWrite)
      let salvaged = isCopied ? try store.salvage(from: copied) : 0
      let restored = try store.transaction { store throws(StoreError) in
        try restore(results, in: store)
      }
      let seen = max(try store.largestId(), largestIdOfFiles)
      try store.reserveIds(through: seen + StoreRebuild.margin)
      // The log must be empty: only the file itself is renamed.
      try store.checkpoint()
      return (salvaged, restored, seen + StoreRebuild.margin)
    }
    try QueueFault.files { () throws(SystemError) in
      for ending in ["-wal", "-shm"] { unsafe unlink(half + ending) }
      try Descriptor(opening: half, O_RDWR).synchronize()
      try SystemCall.retrying("rename", half) { unsafe rename(half, rebuilt) }
      try Descriptor.synchronizeFolder(folders.state)
    }
    return counts
  }

  /// Puts the old store aside under a dated name, then the new one in its place.
  private func replace(_ now: Double) throws(SystemError) -> String? {
    var kept: String?
    if FolderTree.isThere(folders.store) {
      let aside = folders.state + "/" + freeName(now)
      // The log too: it would be replayed into the new store.
      for ending in ["-wal", ""] where FolderTree.isThere(folders.store + ending) {
        try SystemCall.retrying("rename", folders.store + ending) {
          unsafe rename(folders.store + ending, aside + ending)
        }
      }
      kept = aside
    } else {
      unsafe unlink(folders.store + "-wal")
    }
    unsafe unlink(folders.store + "-shm")
    try Descriptor.synchronizeFolder(folders.state)
    try SystemCall.retrying("rename", rebuilt) { unsafe rename(rebuilt, folders.store) }
    try Descriptor.synchronizeFolder(folders.state)
    return kept
  }

  private func freeName(_ now: Double) -> String {
    var seconds = time_t(now)
    // tm holds a pointer (tm_zone), which is not used here.
    var calendar = unsafe tm()
    unsafe gmtime_r(&seconds, &calendar)
    var text = [CChar](repeating: 0, count: 32)
    unsafe strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &calendar)
    let date = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var name = StoreRebuild.keptPrefix + date
    var number = 2
    while FolderTree.isThere("\(folders.state)/\(name)") {
      name = "\(StoreRebuild.keptPrefix)\(date)-\(number)"
      number += 1
    }
    return name
  }

  /// Every published result of a job of a queue, by the job's id; the newest where an id has several.
  private func results() throws(QueueFault) -> [(folder: String, manifest: PublishedManifest)] {
    let names = try QueueFault.files { () throws(SystemError) in
      try FolderTree.names(in: folders.results).map { String(decoding: $0, as: UTF8.self) }
    }
    return names.sorted().filter { !$0.hasPrefix(".") }.compactMap { name in
      guard let manifest = try? PublishedManifest(folder: "\(folders.results)/\(name)"),
        manifest.id > 0
      else { return nil }
      return (name, manifest)
    }
  }

  private func restore(
    _ results: [(folder: String, manifest: PublishedManifest)], in store: borrowing Store
  ) throws(StoreError) -> Int {
    var count = 0
    for (folder, manifest) in results {
      guard try store.job(manifest.id) == nil else { continue }
      let path = "\(folders.results)/\(folder)"
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      let name = manifest.name ?? folder
      let bytes = (manifest.arrays ?? []).reduce(0) { $0 &+ max(0, $1.bytes) }
      try store.restore(
        NewJob(
          id: manifest.id, name: name, file: "\(manifest.id)-\(name)",
          uid: AccessList.firstUser(of: path) ?? status.st_uid,
          bytes: Int64(bytes), inode: 0, modified: 0),
        result: folder, attempt: manifest.attempt ?? 1,
        finished: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9,
        seconds: manifest.took?.seconds ?? 0)
      count += 1
    }
    return count
  }

  private var largestIdOfFiles: Int64 {
    let claimed = (try? FolderTree.names(in: folders.claimed)) ?? []
    let inbox = (try? FolderTree.names(in: folders.jobs)) ?? []
    let claims = claimed.compactMap {
      ClaimedFile(fileName: String(decoding: $0, as: UTF8.self))?.id
    }
    let requests = inbox.compactMap {
      ControlRequest(fileName: String(decoding: $0, as: UTF8.self))?.id
    }
    let logs = ((try? FolderTree.names(in: folders.logs)) ?? []).compactMap {
      QueueFolders.job(ofLog: String(decoding: $0, as: UTF8.self))
    }
    return (claims + requests + logs).max() ?? 0
  }

  private func removeStore(_ path: String) {
    for ending in ["", "-wal", "-shm", "-journal"] { unsafe unlink(path + ending) }
  }

  /// Copies a file; false when there is none.
  private func copy(_ source: String, to target: String) throws(SystemError) -> Bool {
    guard FolderTree.isThere(source) else { return false }
    let from = try Descriptor(opening: source, O_RDONLY | O_NOFOLLOW)
    let to = try Descriptor(opening: target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
    var offset = 0
    while true {
      let piece = try from.read(count: 1 << 20, at: offset)
      if piece.isEmpty { return true }
      try to.write(piece, at: offset)
      offset += piece.count
    }
  }
}
