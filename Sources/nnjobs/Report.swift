import CommandLineOptions
import Formats
import Processing
import Store

/// Everything that can stand in a command's way: each with its sentence (verb, object, reason, remedy) and exit code.
enum Complaint: Error, Hashable, Sendable {
  /// There is no command of that name.
  case unknownCommand(String, near: String?)
  /// An option, or its value, is not right.
  case option(OptionError)
  /// The command needs an operand.
  case missingOperand(command: String, operand: String)
  /// The command takes no such operand.
  case unexpectedOperand(command: String, String)
  /// Not a job's id.
  case notAnId(String)
  /// The store has no job of that id.
  case noSuchJob(Int64)
  /// The job's state does not allow it.
  case notPossible(verb: String, id: Int64, state: JobState, remedy: String?)
  /// The job is someone else's.
  case someoneElses(verb: String, id: Int64, owner: String)
  /// Jobs of someone else are asked for.
  case someoneElsesJobs(verb: String, owner: String)
  /// The configuration lets users see their own jobs only.
  case statusIsOwn
  /// The queue's folders belong to another user.
  case notTheOwner(verb: String, state: String, owner: String)
  /// The job ended without a result.
  case didNotSucceed(id: Int64, name: String, state: JobState, reason: String?)
  /// Jobs had not ended when the time was over.
  case timedOut([Int64], seconds: Double)
  /// No daemon serves the queue.
  case noDaemon(verb: String, state: String)
  /// The daemon refused the dropped file.
  case refused(file: String, reason: String, code: JobError.Code?)
  /// The file's name makes no job.
  case unusableName(String, reason: String)
  /// The job file is no valid one, does not fit, or could not be computed.
  case job(JobError)
  /// An array cannot be shown.
  case picture(file: String, PictureError)
  /// A `.npy` file cannot be read.
  case unreadableArray(FormatError)
  /// The result's manifest cannot be understood.
  case unreadableManifest(String, reason: String)
  /// The store is out of reach.
  case store(StoreError)
  /// The queue cannot be found.
  case queue(QueueError)
  /// The machine could not be measured.
  case notMeasured(String)
  /// The system does not let one watch a program of one's own.
  case crashTestForbidden(call: String, code: Int32)
  /// A system call failed.
  case system(SystemError)
  /// An error that should have been one of the others.
  case unforeseen(String)

  /// Gives any error its place here.
  init(_ error: any Error) {
    self =
      switch error {
      case let error as Complaint: error
      case let error as OptionError: .option(error)
      case let error as StoreError: .store(error)
      case let error as QueueError: .queue(error)
      case let error as SystemError: .system(error)
      case let error as FormatError: .job(JobError(error))
      case let error as JobError: .job(error)
      case QueueFault.files(let error): .system(error)
      case QueueFault.store(let error): .store(error)
      default: .unforeseen("\(error)")
      }
  }

  /// What the process says to its caller.
  var exitCode: ExitCode {
    switch self {
    case .unknownCommand, .option, .missingOperand, .unexpectedOperand, .notAnId, .unusableName:
      .usage
    case .noSuchJob, .notPossible: .noSuchJob
    case .someoneElses, .someoneElsesJobs, .statusIsOwn, .notTheOwner, .crashTestForbidden:
      .notPermitted
    case .didNotSucceed: .jobFailed
    case .timedOut: .timedOut
    case .noDaemon, .store: .unreachable
    case .refused(_, _, let code): code == .doesNotFit ? .doesNotFit : .invalidJobFile
    case .job(let error): Self.exitCode(of: error.code)
    case .picture: .usage
    case .unreadableManifest, .unreadableArray, .system, .notMeasured: .inputOutput
    case .queue(let error):
      switch error {
      case .configuration: .usage
      case .noFolder, .differentFileSystems, .alreadyServed, .noAccessLists, .noGroup: .unreachable
      case .system: .inputOutput
      }
    case .unforeseen: .bug
    }
  }

  private static func exitCode(of code: JobError.Code) -> ExitCode {
    switch code {
    case .invalid, .incomplete: .invalidJobFile
    case .doesNotFit: .doesNotFit
    case .diskFull, .shortage, .inputOutput: .inputOutput
    case .verification, .workerDied, .quarantined, .timeLimit: .jobFailed
    case .cancelled: .interrupted
    case .fault: .bug
    }
  }

  /// One line: verb, object, reason and, where there is one, the remedy.
  var sentence: String {
    switch self {
    case .unknownCommand(let name, let near):
      "no command \(name); " + (near.map { "did you mean \($0)?" } ?? "`nnjobs help` lists them")
    case .option(let error): error.sentence
    case .missingOperand(let command, let operand):
      "\(command) needs \(operand); write nnjobs \(command) \(operand)"
    case .unexpectedOperand(let command, let operand):
      "\(command) does not take \"\(operand)\"; `nnjobs help \(command)` says what it takes"
    case .notAnId(let text):
      "\"\(text)\" is no job's id; ids are whole numbers, as `nnjobs status` shows"
    case .noSuchJob(let id):
      "cannot find job \(id): the store has none of that id; `nnjobs status --all-users` lists them"
    case .notPossible(let verb, let id, let state, let remedy):
      "cannot \(verb) job \(id): it \(Wording.verb(of: state)) \(state.rawValue)"
        + (remedy.map { "; " + $0 } ?? "")
    case .someoneElses(let verb, let id, let owner):
      "cannot \(verb) job \(id): it belongs to \(owner); only "
        + (owner == "root" ? "root may" : "\(owner) and root may")
    case .someoneElsesJobs(let verb, let owner):
      "cannot \(verb) jobs of \(owner); only \(owner)"
        + (owner == "root" ? " may" : " and root may")
    case .statusIsOwn:
      "cannot show jobs of other users: the configuration says status_visible = own; only root may"
    case .notTheOwner(let verb, let state, let owner):
      "cannot \(verb) the queue: \(state) belongs to \(owner); only \(owner)"
        + (owner == "root" ? " may" : " and root may")
    case .didNotSucceed(let id, let name, let state, let reason):
      "job \(id) (\(name)) \(Wording.verb(of: state)) \(state.rawValue)"
        + (reason.map { ": " + $0 } ?? "")
    case .timedOut(let ids, let seconds):
      "stopped waiting after \(Wording.duration(seconds)): "
        + (ids.count == 1 ? "job " : "jobs ") + ids.map(String.init).joined(separator: ", ")
        + " not ended"
    case .noDaemon(let verb, let state):
      "cannot \(verb): no daemon holds \(state)/daemon.lock; start nnjobsd"
    case .refused(let file, let reason, _):
      "the daemon refused \(file): \(reason)"
    case .unusableName(let file, let reason):
      "cannot submit \(file): \(reason)"
    case .job(let error): error.sentence
    case .picture(let file, let error): "cannot show \(file): \(error.sentence)"
    case .unreadableArray(let error): error.sentence
    case .unreadableManifest(let path, let reason):
      "cannot read manifest \(path): \(reason)"
    case .store(let error): error.sentence
    case .queue(let error): error.sentence
    case .notMeasured(let sentence): sentence
    case .crashTestForbidden(let call, let code):
      "\(SystemError(call: "watch nnjobsd with", object: call, code: code).sentence); the crash test needs "
        + "ptrace and seccomp: run it outside the container, or start that with --cap-add=SYS_PTRACE"
    case .system(let error): error.sentence
    case .unforeseen(let text): "internal error: \(text); please report it"
    }
  }
}

/// What goes to standard error: one line each, all beginning with the program's name.
enum Report {
  /// Says what stands in the way.
  static func complain(_ complaint: Complaint) { note(complaint.sentence) }

  /// Says something that is not data.
  static func note(_ sentence: String) { Output.standardError("nnjobs: \(sentence)\n") }
}
