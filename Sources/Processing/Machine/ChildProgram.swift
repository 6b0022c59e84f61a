import CLinux
import Dispatch
import Formats
import FoundationEssentials
import Glibc

/// Another run of this program, in a process of its own, whose output is all that is wanted of it.
enum ChildProgram {
  /// How it ended, and what it wrote to standard output.
  struct Outcome: Sendable {
    let output: [UInt8]
    /// nil when it was killed because its time was over.
    let end: ProcessEnd?
  }

  /// Runs `executable` with these arguments and these variables added to the environment, for at most `seconds`.
  static func run(
    _ arguments: [String], of executable: String = "/proc/self/exe",
    adding variables: [String: String],
    seconds: Double
  ) throws(SystemError) -> Outcome {
    var ends: [Int32] = [-1, -1]
    try SystemCall.retrying("make a socket pair for", executable) {
      unsafe socketpair(
        AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
    }
    let ours = Descriptor(owning: ends[0], path: "output of \(executable)")
    let theirs = Descriptor(owning: ends[1], path: "output of \(executable)")
    let pid = try spawn(executable, arguments, variables, output: theirs.number)
    try theirs.close()
    let output = read(
      ours.number, until: DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9))
    if output == nil { kill(pid, SIGKILL) }
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return Outcome(output: output ?? [], end: output == nil ? nil : ProcessEnd(status: status))
  }

  /// Everything until the other end is closed; nil when the time is over before.
  private static func read(_ descriptor: Int32, until deadline: UInt64) -> [UInt8]? {
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let now = DispatchTime.now().uptimeNanoseconds
      guard now < deadline else { return nil }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&waiting, 1, Int32(min((deadline - now) / 1_000_000 + 1, 1 << 30)))
      if ready < 0 && errno != EINTR { return nil }
      guard ready > 0 else { continue }
      let count = unsafe Glibc.read(descriptor, &piece, piece.count)
      if count == 0 { return output }
      if count > 0 { output += piece.prefix(count) } else if errno != EINTR { return nil }
    }
  }

  private static func spawn(
    _ executable: String, _ arguments: [String], _ variables: [String: String], output: Int32
  ) throws(SystemError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    // What a library has to say of itself is no message of ours.
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)

    var words = unsafe (["nnjobs"] + arguments).map { unsafe strdup($0) }
    var settings: [UnsafeMutablePointer<CChar>?] = unsafe []
    var index = 0
    while let setting = unsafe environ[index] {
      let name = unsafe String(cString: setting).prefix { $0 != "=" }
      if variables[String(name)] == nil { unsafe settings.append(strdup(setting)) }
      index += 1
    }
    for (name, value) in variables { unsafe settings.append(strdup("\(name)=\(value)")) }
    unsafe words.append(nil)
    unsafe settings.append(nil)
    defer {
      for index in unsafe words.indices { unsafe free(words[index]) }
      for index in unsafe settings.indices { unsafe free(settings[index]) }
    }
    return try unsafe ChildStart.start(
      executable, words, settings: settings, &actions, leadsGroup: false)
  }
}

extension ChildProgram {
  /// Why another process gave no answer.
  struct Silence: Error, Hashable {
    /// In words, to stand behind its name.
    let text: String
  }

  /// Runs this program in another process and decodes the JSON it prints.
  static func ask<Answer: Decodable>(
    _ arguments: [String], adding variables: [String: String], seconds: Double,
    for type: Answer.Type
  ) -> Result<Answer, Silence> {
    let outcome: Outcome
    do throws(SystemError) {
      outcome = try run(arguments, adding: variables, seconds: seconds)
    } catch { return .failure(Silence(text: error.sentence)) }
    guard let end = outcome.end else {
      return .failure(Silence(text: "it did not end within \(Int(seconds)) s"))
    }
    guard end == .exited(0),
      let answer = try? JSONDecoder().decode(type, fromAnything: outcome.output)
    else { return .failure(Silence(text: "it \(end.sentence)")) }
    return .success(answer)
  }

  /// Prints the answer of a process that was asked, and ends it.
  static func answer(_ answer: some Encodable) -> Never {
    guard let data = try? JSONEncoder().encode(answer) else { exit(70) }
    let output = Descriptor(owning: 1, path: "standard output")
    var done = 0
    while done < data.count {
      let written = unsafe data.withUnsafeBytes { bytes in
        unsafe Glibc.write(
          output.number, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      }
      if written < 0 && errno != EINTR { exit(74) }
      done += max(0, written)
    }
    exit(0)
  }
}
