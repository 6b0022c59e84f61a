/// The partial folders of a queue's jobs: `.partial-<id>-<attempt>` in `results/`.
package struct PartialFolders: Sendable {
  private let results: String

  /// Those in the folder `results`.
  package init(in results: String) { self.results = results }

  /// Where an attempt writes its results until they are published.
  package func folder(of id: Int64, attempt: Int) -> String {
    "\(results)/.partial-\(id)-\(attempt)"
  }

  /// Removes what the attempts up to this one left, as nothing will go on there.
  package func remove(of id: Int64, upTo attempt: Int) {
    for attempt in stride(from: attempt, to: 0, by: -1) {
      let folder = folder(of: id, attempt: attempt)
      if FolderTree.isThere(folder) { FolderTree.remove(folder) }
    }
  }

  /// After an attempt that the next one may go on with: keeps its folder if it has a record, and removes it if not.
  func settle(of id: Int64, attempt: Int) {
    let folder = folder(of: id, attempt: attempt)
    if !ProgressRecord.isThere(in: folder) { FolderTree.remove(folder) }
  }

  /// Whether a name in `results` is what the next attempt of a queued job may go on with.
  static func isKept(_ name: String, in results: String, queued: Set<Int64>) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == ".partial", let id = Int64(parts[1]), Int(parts[2]) != nil
    else { return false }
    return queued.contains(id) && ProgressRecord.isThere(in: "\(results)/\(name)")
  }
}
