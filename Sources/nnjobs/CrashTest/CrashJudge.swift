import Formats
import Processing
import Store

/// What must hold of a queue at the end of a case.
struct CrashJudge: Sendable {
  /// What is expected of one job.
  struct Expectation: Hashable, Sendable {
    /// The job's name.
    let name: String
    /// The states it may be in at the end.
    let states: Set<JobState>
    /// Whether it may be missing: nobody was told that it is safe.
    var mayBeMissing = false
  }

  /// The arrays of an undisturbed run, by the job's name; nil while that run itself is judged.
  let reference: [String: [String: [UInt8]]]?

  /// Every promise that was not kept, as sentences: each acknowledged job is there once, in one final state, its result
  /// as in an undisturbed run; nothing else is anywhere; `fsck` finds nothing.
  func faults(of queue: CrashQueue, _ expected: [Expectation]) -> [String] {
    do {
      let rows = try queue.rows()
      return jobs(rows, expected) + (try results(rows, in: queue)) + (try files(rows, in: queue))
        + (try check(queue))
    } catch { return [Complaint(error).sentence] }
  }

  private func jobs(_ rows: [Job], _ expected: [Expectation]) -> [String] {
    var faults: [String] = []
    for expectation in expected {
      let name = expectation.name
      let mine = rows.filter { $0.name == name }
      if mine.isEmpty, !expectation.mayBeMissing { faults.append("job \(name) is lost") }
      if mine.count > 1 { faults.append("job \(name) is there \(mine.count) times") }
      for job in mine where !expectation.states.contains(job.state) {
        let wanted = expectation.states.map(\.rawValue).sorted().joined(separator: " or ")
        faults.append(
          "job \(name) is \(job.state.rawValue), not \(wanted)"
            + (job.reasonText.map { ": \($0)" } ?? ""))
      }
    }
    let names = Set(expected.map(\.name))
    for job in rows where !names.contains(job.name) {
      faults.append("nobody dropped job \(job.name)")
    }
    return faults
  }

  private func results(_ rows: [Job], in queue: CrashQueue) throws(SystemError) -> [String] {
    var faults: [String] = []
    let known = rows.compactMap { $0.state == .succeeded ? $0.result : nil }.sorted()
    let published = try queue.names(in: queue.folders.results)
    if published != known {
      faults.append("results/ has \(list(published)), the store \(list(known))")
    }
    for job in rows where job.state == .succeeded {
      guard let result = job.result, published.contains(result) else { continue }
      let contents = try queue.contents(of: result)
      if let reference, contents != reference[job.name] {
        let all = Set(contents.keys).union(reference[job.name]?.keys.map { $0 } ?? [])
        let wrong = all.filter { contents[$0] != reference[job.name]?[$0] }.sorted()
        faults.append("result \(result) is not as in an undisturbed run: \(list(wrong))")
      }
    }
    return faults
  }

  private func files(_ rows: [Job], in queue: CrashQueue) throws(SystemError) -> [String] {
    var faults: [String] = []
    let inbox = try queue.inbox()
    if !inbox.isEmpty { faults.append("left in the inbox: \(list(inbox))") }
    let claimed = try queue.names(in: queue.folders.claimed)
    let kept = rows.filter { $0.state != .succeeded && $0.state != .refused }.map(\.file).sorted()
    if claimed != kept {
      faults.append("claimed files are \(list(claimed)), the store's \(list(kept))")
    }
    let refused = try queue.names(in: queue.folders.refused)
    let wanted = rows.filter { $0.state == .refused }
      .flatMap { [$0.file, $0.file + Refusal.noteEnding] }.sorted()
    if refused != wanted {
      faults.append("refused files are \(list(refused)), by the store \(list(wanted))")
    }
    return faults
  }

  private func check(_ queue: CrashQueue) throws -> [String] {
    let store = try queue.folders.openStore()
    try store.check()
    return try QueueCheck(queue.folders, isServed: false).findings(in: store).findings
      .map { "fsck: \($0.sentence)" }
  }

  private func list(_ names: [String]) -> String {
    names.isEmpty ? "nothing" : names.joined(separator: ", ")
  }
}
