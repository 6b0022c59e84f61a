import CLinux
import Formats
import Glibc
import Processing

/// Programs of one thread's starting, stopped at each of their file-changing system calls beneath a folder, and killed at one.
///
/// Only the thread that started them may ask for news of them: ptrace(2) binds a watched program to it.
struct Watch: ~Copyable {
  /// Whose calls are counted.
  enum Role: Hashable, Sendable {
    /// The program that was started.
    case program
    /// The processes it starts.
    case workers
  }

  /// What the system does not let one do, and why.
  struct Forbidden: Error, Hashable {
    /// As `ptrace`.
    let call: String
    /// errno.
    let code: Int32
  }

  private let root: String
  private let role: Role
  private let number: Int?
  private var program: pid_t = 0
  private var workers: Set<pid_t> = []

  /// Calls of the role so far.
  private(set) var calls = 0
  /// The call at which the role was killed, as `renameat2 results/a`; nil when it was not.
  private(set) var struck: String?
  /// How what was started has ended.
  private(set) var ends: [pid_t: ProcessEnd] = [:]

  /// Watches calls on files beneath `root`, a real path, and kills the role with SIGKILL before call `number`, from 1.
  init(beneath root: String, of role: Role, killingAt number: Int? = nil) {
    self.root = root
    self.role = role
    self.number = number
  }

  deinit {
    for process in workers.union([program]) where process > 0 && ends[process] == nil {
      kill(process, SIGKILL)
    }
    // Until nobody is left of this thread's: the next case shall hear of its own only.
    while true {
      let news = nnjobs_next_news()
      switch news.kind {
      case nnjobs_nobody_left: return
      case nnjobs_nothing_new: usleep(1000)
      case nnjobs_file_call_begins:
        if let process = Watch.process(of: news.task) { kill(process, SIGKILL) }
      default: break
      }
    }
  }

  /// Starts `program` in the root folder, its output going to `log`; not watched, its calls count for nothing.
  mutating func start(
    _ program: String, _ words: [String], environment: [String: String],
    log: borrowing Descriptor, isWatched: Bool
  ) throws(Forbidden) -> pid_t {
    var arguments = unsafe ([program] + words).map { unsafe strdup($0) }
    var settings = unsafe environment.map { unsafe strdup("\($0)=\($1)") }
    unsafe arguments.append(nil)
    unsafe settings.append(nil)
    defer {
      for index in unsafe arguments.indices { unsafe free(arguments[index]) }
      for index in unsafe settings.indices { unsafe free(settings[index]) }
    }
    var call: UnsafePointer<CChar>?
    let pid = unsafe nnjobs_start_watched(
      program, arguments, settings, root, log.number, isWatched ? 1 : 0, &call)
    guard pid > 0 else {
      throw Forbidden(call: unsafe call.map { unsafe String(cString: $0) } ?? "", code: -pid)
    }
    self.program = pid
    return pid
  }

  /// Takes what there is of news, then rests a moment; false once nobody is left.
  mutating func goOn() -> Bool {
    while true {
      let news = nnjobs_next_news()
      switch news.kind {
      case nnjobs_file_call_begins: meet(news)
      case nnjobs_process_ended:
        ends[news.task] = ProcessEnd(status: news.status)
        workers.remove(news.task)
      case nnjobs_nobody_left: return false
      default:
        usleep(30)
        return true
      }
    }
  }

  /// A task stands before a call: it is let on, or its process is killed there.
  private mutating func meet(_ news: nnjobs_news) {
    let task = news.task
    let isProgram = nnjobs_is_thread_of(program, task) != 0
    let process = isProgram ? program : Watch.process(of: task) ?? task
    if !isProgram { workers.insert(process) }
    if struck == nil, (role == .program) == isProgram, let what = self.call(of: news) {
      calls += 1
      if calls == number {
        struck = what
        kill(process, SIGKILL)
        return
      }
    }
    nnjobs_let_on(task)
  }

  /// The call and its file, as `write results/a`; nil when the file is not beneath the root.
  private func call(of news: nnjobs_news) -> String? {
    guard let call = unsafe nnjobs_file_call_of(news.call) else { return nil }
    let task = news.task
    let arguments = [
      news.arguments.0, news.arguments.1, news.arguments.2, news.arguments.3,
    ]
    let argument = unsafe arguments[Int(call.pointee.place)]
    let name = unsafe String(cString: call.pointee.name)
    let isPath = unsafe call.pointee.is_path != 0
    let path: String?
    if isPath {
      path = Watch.text(at: argument, of: task)
    } else {
      path = Watch.target(ofLink: "/proc/\(task)/fd/\(Int32(truncatingIfNeeded: argument))")
    }
    guard var path else { return nil }
    if path.hasPrefix(root + "/") {
      path.removeFirst(root.count + 1)
    } else if path == root {
      path = "."
    } else if path.hasPrefix("/") || !isPath {
      return nil
    }
    return "\(name) \(path)"
  }

  private static func text(at address: UInt64, of task: pid_t) -> String? {
    guard let memory = try? Descriptor(opening: "/proc/\(task)/mem", O_RDONLY) else { return nil }
    var bytes: [UInt8] = []
    // To the end of a page at a time: the next one need not be there.
    while bytes.count < Int(PATH_MAX), !bytes.contains(0) {
      let place = Int(truncatingIfNeeded: address) + bytes.count
      guard let piece = try? memory.read(count: 4096 - place % 4096, at: place), !piece.isEmpty
      else { break }
      bytes += piece
    }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func target(ofLink path: String) -> String? {
    var characters = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &characters, characters.count)
    guard count > 0 else { return nil }
    return String(decoding: characters.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The process that a thread belongs to.
  private static func process(of task: pid_t) -> pid_t? {
    let line = KernelFile.text(of: "/proc/\(task)/status").split(separator: "\n")
      .first { $0.hasPrefix("Tgid:") }
    return line.flatMap { pid_t($0.dropFirst(5).filter { $0.isNumber }) }
  }
}
