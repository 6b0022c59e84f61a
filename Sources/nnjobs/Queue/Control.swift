import Glibc
import Processing
import Store

/// Asks the daemon about jobs and says what became of it: `cancel`, `retry`, `hold` and others are this with a verb each.
enum Control {
  /// How long the daemon may take to answer before the command ends.
  private static let patience = 3.0

  /// Asks for each job, one line about each; gives the worst exit code.
  static func ask(_ verb: ControlRequest.Verb, of ids: [Int64], _ call: Call) throws -> ExitCode {
    let folders = try call.folders()
    let store = try folders.openStore()
    var code = ExitCode.done
    // All are asked before the first is waited for.
    var asked: [(job: Job, file: ControlFile)] = []
    for id in ids {
      do {
        let job = try permit(verb, id, in: store)
        asked.append((job, try ControlFile(ControlRequest(verb, id), in: folders)))
      } catch {
        let complaint = Complaint(error)
        Report.complain(complaint)
        if code == .done { code = complaint.exitCode }
      }
    }
    let hasDaemon = folders.isDaemonRunning
    var list: [JSON] = []
    for (job, file) in asked {
      let now =
        hasDaemon ? try answer(verb, to: job, in: store) : try store.job(job.id)
      let sentence = outcome(verb, of: job, now: now, file, hasDaemon: hasDaemon)
      if call.has(.json) {
        list.append(
          .object([
            "id": .integer(job.id), "state": .optional(now?.state.rawValue),
            "text": .text(sentence),
          ]))
      } else {
        try Output.standardOutput(sentence + "\n")
      }
    }
    if call.has(.json) { try Output.standardOutput(try JSON.document(["jobs": .list(list)])) }
    return code
  }

  private static func permit(
    _ verb: ControlRequest.Verb, _ id: Int64, in store: borrowing Store
  ) throws -> Job {
    guard let job = try store.job(id) else { throw Complaint.noSuchJob(id) }
    guard geteuid() == 0 || geteuid() == job.uid else {
      var names = UserNames()
      throw Complaint.someoneElses(
        verb: verb.word, id: id, owner: names.name(of: job.uid))
    }
    guard verb.isPossible(for: job) else {
      throw Complaint.notPossible(
        verb: verb.word, id: id, state: job.state, remedy: verb.remedy(for: job))
    }
    return job
  }

  /// The row once the daemon has acted, or as it is when patience ends; nil when it is gone.
  private static func answer(
    _ verb: ControlRequest.Verb, to job: Job, in store: borrowing Store
  ) throws -> Job? {
    let id = job.id
    _ = try JobWatch.until(
      store, seconds: patience,
      look: { store in
        // A job that ended in between has given its answer too.
        guard let now = try store.job(id), verb.isPossible(for: now) else { return true }
        return nil
      })
    return try store.job(id)
  }

  private static func outcome(
    _ verb: ControlRequest.Verb, of job: Job, now: Job?, _ file: ControlFile, hasDaemon: Bool
  ) -> String {
    let name = "job \(job.id) (\(Wording.visible(job.name)))"
    guard hasDaemon else {
      return "\(name) will be \(verb.past) once a daemon runs"
    }
    guard let now else {
      return verb == .remove || verb == .removeResult ? "\(name) is removed" : "\(name) is gone"
    }
    if !verb.isPossible(for: now) { return outcome(verb, name, now) }
    if file.isThere { return "\(name) will be \(verb.past) as soon as the daemon comes to it" }
    return verb == .cancel
      ? "\(name) was told to stop and is \(now.state.rawValue) still"
      : "\(name) is \(now.state.rawValue) still"
  }

  /// What to say of a job that cannot be asked the same again.
  private static func outcome(
    _ verb: ControlRequest.Verb, _ name: String, _ now: Job
  ) -> String {
    switch (verb, now.state) {
    case (.cancel, .cancelled): return "\(name) is cancelled"
    case (.cancel, _): return "\(name) had \(now.state.rawValue) before it could be cancelled"
    case (.hold, .queued): return "\(name) is held"
    case (.hold, _): return "\(name) had started before it could be held"
    case (.retry, .queued): return "\(name) is queued again"
    case (.release, .queued): return "\(name) is released"
    case (.retry, _), (.release, _), (.remove, _), (.removeResult, _):
      return "\(name) was \(verb.past) and \(Wording.verb(of: now.state)) \(now.state.rawValue)"
    }
  }
}
