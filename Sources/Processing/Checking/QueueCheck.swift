import Formats
import Glibc
package import Store

/// Compares a queue's files with its store, both ways; changes nothing.
///
/// While a daemon works, files and rows move: what is found then is to be believed only when it is found again.
package struct QueueCheck: Sendable {
  /// How old in seconds a temporary is when its writer counts as gone.
  package static let staleAge = 86_400.0

  let folders: QueueFolders
  let isServed: Bool

  /// Prepares to check a queue; `isServed` tells whether a daemon serves it.
  package init(_ folders: QueueFolders, isServed: Bool) {
    self.folders = folders
    self.isServed = isServed
  }

  /// What was looked at, for the closing line.
  package struct Extent: Hashable, Sendable {
    /// Rows of the store.
    package var jobs = 0
    /// Result folders.
    package var results = 0
    /// Claimed files.
    package var claimed = 0
    /// Result folders of no job in the store: of `nnjobs run`, or kept when their job was removed.
    package var unownedResults = 0
  }

  /// Everything that does not agree, in order of the places looked at.
  package func findings(
    in store: borrowing Store
  ) throws(QueueFault) -> (findings: [Finding], extent: Extent) {
    // Files before rows: what the daemon does in between moves a job forward, never back into a folder.
    let claimed = try names(in: folders.claimed)
    let results = try names(in: folders.results)
    let inbox = try names(in: folders.jobs)
    let refused = try names(in: folders.refused)
    let logged = try names(in: folders.logs)
    let rows = try QueueFault.store { () throws(StoreError) in
      try store.jobs(JobFilter())
    }
    let jobs = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }

    var extent = Extent(jobs: rows.count, claimed: claimed.count)
    var findings = claims(claimed, jobs)
    findings += self.rows(rows, claimed: Set(claimed), published: Set(results))
    findings += published(results, jobs, &extent)
    findings += refusals(refused, rows)
    findings += drops(inbox, jobs)
    findings += temporaries()
    findings += logs(logged, jobs)
    let areTotalsRight = try QueueFault.store { () throws(StoreError) in try store.totalsAreRight()
    }
    if !areTotalsRight {
      findings.append(
        Finding(
          .totalsWrong, folders.store,
          "the store \(folders.store) counts its jobs wrongly",
          .byHand("stop nnjobsd and run nnjobs fsck --rebuild")))
    }
    return (findings, extent)
  }

  private func claims(_ names: [String], _ jobs: [Int64: Job]) -> [Finding] {
    names.compactMap { name in
      let path = "\(folders.claimed)/\(name)"
      if name.hasPrefix(".probe-") {
        return Finding(
          .staleTemporary, path, "\(path) is left over from trying the folders", .repair)
      }
      guard let claim = ClaimedFile(fileName: name) else {
        return Finding(
          .strangeClaim, path, "\(path) is no claimed job file", .byHand("move it away"))
      }
      guard let job = jobs[claim.id] else {
        return Finding(
          .claimedWithoutRow, path, "\(path) is claimed, but the store has no job \(claim.id)",
          .start)
      }
      guard job.state == .succeeded else { return nil }
      return Finding(
        .claimedLeftover, path, "\(path) is left over: job \(job.id) has succeeded", .start)
    }
  }

  private func rows(_ rows: [Job], claimed: Set<String>, published: Set<String>) -> [Finding] {
    rows.reversed().flatMap { job -> [Finding] in
      switch job.state {
      case .queued, .running:
        if job.state == .running && !isServed {
          return [
            Finding(
              .runningWithoutDaemon, folders.store,
              "job \(job.id) (\(job.name)) is running in the store, but no daemon runs", .start)
          ]
        }
        guard !claimed.contains(job.file) else { return [] }
        return [
          Finding(
            .rowWithoutClaimed, "\(folders.claimed)/\(job.file)",
            "job \(job.id) (\(job.name)) is \(job.state.rawValue), but its job file "
              + "\(folders.claimed)/\(job.file) is gone", .start)
        ]
      case .succeeded: return result(of: job, published)
      case .failed, .cancelled, .refused: return []
      }
    }
  }

  private func refusals(_ names: [String], _ rows: [Job]) -> [Finding] {
    let present = Set(names)
    let known = Set(rows.lazy.filter { $0.state == .refused }.map(\.file))
    let ending = Refusal.noteEnding
    return names.sorted().compactMap { name in
      let path = "\(folders.refused)/\(name)"
      if Refusal.isNote(name, among: present) && !known.contains(name) {
        if present.contains(String(name.dropLast(ending.count))) { return nil }
        return Finding(
          .reasonWithoutFile, path, "\(path) says why a file was refused that is gone", .start)
      }
      if !known.contains(name) {
        return Finding(
          .refusedWithoutRow, path, "\(path) was refused, but the store has no row of it", .start)
      }
      if present.contains(name + ending) { return nil }
      return Finding(
        .refusedWithoutReason, path, "\(path) was refused, but \(name)\(ending) is missing", .repair
      )
    }
  }

  private func drops(_ names: [String], _ jobs: [Int64: Job]) -> [Finding] {
    names.sorted().compactMap { name in
      let path = "\(folders.jobs)/\(name)"
      if let request = ControlRequest(fileName: name) {
        // A daemon takes such a file away by itself; without one it waits.
        if jobs[request.id] != nil || isServed && !isStale(path) { return nil }
        return Finding(
          .controlOfNoJob, path,
          "\(path) asks to \(request.verb.rawValue) job \(request.id), which the store does not have",
          .repair)
      }
      if ControlRequest.Verb.allCases.contains(where: { name.hasPrefix(".\($0.rawValue)-") }) {
        return Finding(
          .controlOfNoJob, path, "\(path) names no job's id", .repair)
      }
      guard name.hasPrefix(".tmp-") || name.hasPrefix(".probe-"), isStale(path) else { return nil }
      return Finding(
        .staleTemporary, path, "\(path) is a drop that was not finished for more than a day",
        name.hasPrefix(".tmp-") ? .start : .repair)
    }
  }

  private func logs(_ names: [String], _ jobs: [Int64: Job]) -> [Finding] {
    names.sorted().compactMap { name in
      guard let id = QueueFolders.job(ofLog: name), jobs[id] == nil else { return nil }
      let path = "\(folders.logs)/\(name)"
      return Finding(
        .logWithoutJob, path, "\(path) is of job \(id), which the store does not have", .repair)
    }
  }

  private func temporaries() -> [Finding] {
    let names = (try? names(in: folders.state)) ?? []
    return names.sorted().compactMap { name in
      let path = "\(folders.state)/\(name)"
      guard name.hasPrefix("store.sqlite."), !name.hasPrefix(StoreRebuild.keptPrefix) else {
        return nil
      }
      if name == "store.sqlite.rebuilt" {
        return Finding(
          .staleTemporary, path, "\(path) is there: the store's rebuilding was interrupted",
          .byHand("run nnjobs fsck --rebuild, which finishes it"))
      }
      return Finding(
        .staleTemporary, path, "\(path) is left over from making a store",
        name.hasPrefix("store.sqlite.new") ? .start : .repair)
    }
  }

  private func isStale(_ path: String) -> Bool {
    FileStamp(of: path)?.isOlder(than: QueueCheck.staleAge) ?? false
  }

  private func names(in folder: String) throws(QueueFault) -> [String] {
    try QueueFault.files { () throws(SystemError) in
      do throws(SystemError) {
        return try FolderTree.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
      } catch {
        // A queue that no daemon has served yet has none of its inner folders.
        guard error.code == ENOENT, folder != folders.jobs else { throw error }
        return []
      }
    }
  }
}
