import Glibc
import Processing
import Store

/// Asks the daemon about jobs and says what became of it: `cancel` and `retry` are this with another verb.
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
        hasDaemon ? try answer(verb, to: job, file, in: store) : try store.job(job.id)
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
        verb: verb.rawValue, id: id, owner: names.name(of: job.uid))
    }
    guard verb.isPossible(in: job.state) else {
      throw Complaint.notPossible(
        verb: verb.rawValue, id: id, state: job.state,
        remedy: verb == .retry && job.state == .refused ? "put the file right and submit it" : nil)
    }
    return job
  }

  /// The row once the daemon has acted, or as it is when patience ends.
  private static func answer(
    _ verb: ControlRequest.Verb, to job: Job, _ file: ControlFile, in store: borrowing Store
  ) throws -> Job? {
    let id = job.id
    let answered: Job? = try JobWatch.until(
      store, seconds: patience,
      look: { store in
        guard let now = try store.job(id) else { return nil }
        // A job that ended in between has given its answer too.
        return verb.isPossible(in: now.state) ? nil : now
      })
    return try answered ?? store.job(id)
  }

  private static func outcome(
    _ verb: ControlRequest.Verb, of job: Job, now: Job?, _ file: ControlFile, hasDaemon: Bool
  ) -> String {
    let name = "job \(job.id) (\(Wording.visible(job.name)))"
    guard hasDaemon else {
      return "\(name) will be \(verb.past) once a daemon runs"
    }
    guard let now else { return "\(name) is gone" }
    if !verb.isPossible(in: now.state) {
      switch (verb, now.state) {
      case (.cancel, .cancelled): return "\(name) is cancelled"
      case (.cancel, _): return "\(name) had \(now.state.rawValue) before it could be cancelled"
      case (.retry, .queued): return "\(name) is queued again"
      case (.retry, _):
        return "\(name) was queued again and \(Wording.verb(of: now.state)) \(now.state.rawValue)"
      }
    }
    return file.isThere
      ? "\(name) will be \(verb.past) as soon as the daemon comes to it"
      : verb == .cancel
        ? "\(name) was told to stop and is \(now.state.rawValue) still"
        : "\(name) is \(now.state.rawValue) still"
  }
}
