import Glibc
import Processing
import Store

/// Asks the daemon about jobs and says what became of it: `cancel`, `retry`, `hold` and others are this with a verb each.
enum Control {
  /// How long the daemon may take to answer before the command ends.
  private static let patience = 3.0

  /// What is asked about: a job, or what is left of a forgotten one.
  private enum Subject {
    case job(Job)
    case result(KeptResult)

    var id: Int64 {
      switch self {
      case .job(let job): job.id
      case .result(let result): result.job
      }
    }

    var name: String {
      switch self {
      case .job(let job): "job \(job.id) (\(Wording.visible(job.name)))"
      case .result(let result):
        "the result \(Wording.visible(result.folder)) of the forgotten job \(result.job)"
      }
    }
  }

  /// Asks for each job, one line about each; gives the worst exit code.
  static func ask(_ verb: ControlRequest.Verb, of ids: [Int64], _ call: Call) throws -> ExitCode {
    let folders = try call.folders()
    let store = try folders.openStore()
    var code = ExitCode.done
    // All are asked before the first is waited for.
    var asked: [(subject: Subject, file: ControlFile)] = []
    for id in ids {
      do {
        let subject = try permit(verb, id, in: store)
        asked.append((subject, try ControlFile(ControlRequest(verb, id), in: folders)))
      } catch {
        let complaint = Complaint(error)
        Report.complain(complaint)
        if code == .done { code = complaint.exitCode }
      }
    }
    let hasDaemon = folders.isDaemonRunning
    var list: [JSON] = []
    for (subject, file) in asked {
      if hasDaemon { try awaitAnswer(verb, about: subject, in: store) }
      let now = try store.job(subject.id)
      let isLeft = try store.result(of: subject.id) != nil
      let sentence = outcome(
        verb, of: subject, now: now, isLeft: isLeft, file, hasDaemon: hasDaemon)
      if call.has(.json) {
        list.append(
          .object([
            "id": .integer(subject.id), "state": .optional(now?.state.rawValue),
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
  ) throws -> Subject {
    guard let job = try store.job(id) else {
      guard verb == .removeResult, let result = try store.result(of: id) else {
        throw Complaint.noSuchJob(id)
      }
      try permit(verb, id, of: result.uid)
      return .result(result)
    }
    try permit(verb, id, of: job.uid)
    guard verb.isPossible(for: job) else {
      throw Complaint.notPossible(
        verb: verb.word, id: id, state: job.state, remedy: verb.remedy(for: job))
    }
    return .job(job)
  }

  private static func permit(
    _ verb: ControlRequest.Verb, _ id: Int64, of owner: UInt32
  ) throws(Complaint) {
    guard geteuid() == 0 || geteuid() == owner else {
      var names = UserNames()
      throw .someoneElses(verb: verb.word, id: id, owner: names.name(of: owner))
    }
  }

  /// Returns once the daemon has acted, or patience ends.
  private static func awaitAnswer(
    _ verb: ControlRequest.Verb, about subject: Subject, in store: borrowing Store
  ) throws {
    let id = subject.id
    _ = try JobWatch.until(
      store, seconds: patience,
      look: { store in
        if case .result = subject { return try store.result(of: id) == nil ? true : nil }
        // A job that ended in between has given its answer too.
        guard let now = try store.job(id), verb.isPossible(for: now) else { return true }
        return nil
      })
  }

  private static func outcome(
    _ verb: ControlRequest.Verb, of subject: Subject, now: Job?, isLeft: Bool, _ file: ControlFile,
    hasDaemon: Bool
  ) -> String {
    let name = subject.name
    guard hasDaemon else {
      return "\(name) will be \(verb.past) once a daemon runs"
    }
    if case .result = subject, isLeft {
      return "\(name) will be \(verb.past) as soon as the daemon comes to it"
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
