import Formats
import Glibc

/// The settings of a queue, from `name = value` lines; command-line options and NNJOBS_* win over them.
package struct Configuration: Hashable, Sendable {
  /// Where the configuration is read from unless NNJOBS_CONFIG names another file.
  package static let defaultPath = "/etc/nnjobs/nnjobs.conf"

  /// The inbox, where users drop job files.
  package var jobs: String?
  /// Where results are published.
  package var results: String?
  /// Where the store, the lock and the claimed job files are.
  package var state: String?
  /// How many worker processes run at once; nil means one for each core.
  package var workers: Int?
  /// How many bytes of memory all running jobs may plan to use; nil means 0.8 of the machine's.
  package var memory: Int?
  /// Seconds a job may go on after it was told to stop, before its worker is killed.
  package var grace: Double?
  /// Seconds between two records of what a running job has on disk for good; 0 for none.
  package var checkpoint: Double?
  /// Seconds an incomplete file may stay in the inbox after its last change, before it is refused.
  package var patience: Double?
  /// Seconds after its end that a job is removed from the store; nil means never.
  package var keep: Double?
  /// Whether the result folder of a job that is removed so stays; nil means that it does.
  package var keepResults: Bool?
  /// Seconds an attempt may run when its job names no limit; nil means as long as it takes.
  package var timeLimit: Double?
  /// The longest limit a job may name, seconds, and the limit of those that name none; nil means any.
  package var longestTime: Double?
  /// How many jobs of one user run at once; nil means any number.
  package var userRunning: Int?
  /// How many jobs of one user are queued at once, others wait in the inbox; nil means any number.
  package var userQueued: Int?
  /// Bytes of disk that the results of one user may take in all; nil means any number.
  package var userResults: Int?
  /// The highest priority of jobs whose owner is neither root nor the daemon's own user; nil means 0.
  package var userPriority: Int?

  /// The group whose members may read every result, `none` for owners alone; nil leaves it to the folders' modes.
  package var resultsGroup: String?
  /// Whose jobs `nnjobs status` shows to users other than root: nil means everybody's where they ask for them.
  package var statusVisible: StatusVisibility?

  /// Whose jobs a user is shown.
  package enum StatusVisibility: String, Hashable, Sendable, CaseIterable {
    /// Everybody's, where asked for.
    case all
    /// Only the user's own.
    case own
  }

  /// No settings: every default.
  package init() {}

  /// Reads the file that NNJOBS_CONFIG names, or the default one where that can be read.
  package init(environment: [String: String]) throws(QueueError) {
    let named = environment["NNJOBS_CONFIG"]
    let path = named ?? Configuration.defaultPath
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try Descriptor(opening: path, O_RDONLY)
      bytes = try file.read(count: min(try file.size(), 1 << 20), at: 0)
    } catch {
      guard named == nil else { throw .system(error) }
      self.init()
      return
    }
    try self.init(text: String(decoding: bytes, as: UTF8.self), file: path)
  }

  /// Reads the settings from `text`; `#` starts a comment.
  package init(text: String, file: String) throws(QueueError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let content = line.prefix { $0 != "#" }.trimmed
      if content.isEmpty { continue }
      guard let equals = content.firstIndex(of: "=") else {
        throw .configuration(file: file, line: index + 1, reason: "expected `name = value`")
      }
      let name = String(content[..<equals].trimmed)
      let value = String(content[content.index(after: equals)...].trimmed)
      if let reason = set(name, to: value) {
        throw .configuration(file: file, line: index + 1, reason: reason)
      }
    }
  }

  /// Sets one setting by its name; the answer says what is wrong with it, or is nil.
  package mutating func set(_ name: String, to value: String) -> String? {
    switch name {
    case "jobs": jobs = value
    case "results": results = value
    case "state": state = value
    case "workers":
      guard let count = Int(value), (1...1024).contains(count) else {
        return "workers is a whole number from 1 to 1024, not \"\(value)\""
      }
      workers = count
    case "memory":
      guard let bytes = ByteCount.parse(value), bytes > 0 else {
        return "memory is a size as 16GiB or 500MiB, not \"\(value)\""
      }
      memory = bytes
    case "grace":
      guard let seconds = Double(value), (0...86400).contains(seconds) else {
        return "grace is a number of seconds from 0 to 86400, not \"\(value)\""
      }
      grace = seconds
    case "checkpoint":
      guard let seconds = Double(value), (0...86400).contains(seconds) else {
        return "checkpoint is a number of seconds from 0 to 86400, not \"\(value)\""
      }
      checkpoint = seconds
    case "patience":
      guard let seconds = Double(value), (0...86400).contains(seconds) else {
        return "patience is a number of seconds from 0 to 86400, not \"\(value)\""
      }
      patience = seconds
    case "keep":
      guard let seconds = TimeSpan.parse(value) else {
        return "keep is \(TimeSpan.forms), not \"\(value)\""
      }
      keep = seconds
    case "keep_results":
      guard value == "yes" || value == "no" else {
        return "keep_results is yes or no, not \"\(value)\""
      }
      keepResults = value == "yes"
    case "results_group":
      guard !value.isEmpty else { return "results_group is a group's name, or none" }
      resultsGroup = value
    case "status_visible":
      guard let visibility = StatusVisibility(rawValue: value) else {
        return "status_visible is all or own, not \"\(value)\""
      }
      statusVisible = visibility
    default: return setLimit(name, to: value)
    }
    return nil
  }

  /// Sets what a job or a user is limited to.
  private mutating func setLimit(_ name: String, to value: String) -> String? {
    switch name {
    case "time_limit", "longest_time":
      guard let seconds = TimeSpan.parse(value), seconds > 0, seconds <= 1e9 else {
        return "\(name) is \(TimeSpan.forms), more than 0, not \"\(value)\""
      }
      if name == "time_limit" { timeLimit = seconds } else { longestTime = seconds }
    case "user_running", "user_queued":
      guard let count = Int(value), (1...1_000_000).contains(count) else {
        return "\(name) is a whole number from 1 to 1000000, not \"\(value)\""
      }
      if name == "user_running" { userRunning = count } else { userQueued = count }
    case "user_results":
      guard let bytes = ByteCount.parse(value), bytes > 0 else {
        return "user_results is a size as 16GiB or 500MiB, not \"\(value)\""
      }
      userResults = bytes
    case "user_priority":
      guard let priority = Int(value), (-1000...1000).contains(priority) else {
        return "user_priority is a whole number from -1000 to 1000, not \"\(value)\""
      }
      userPriority = priority
    default:
      return "no setting \"\(name)\"; there are \(Setting.all.map(\.name).joined(separator: ", "))"
    }
    return nil
  }
}

extension Substring {
  /// This text without blanks at both ends.
  fileprivate var trimmed: Substring {
    var rest = self
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return rest
  }
}
