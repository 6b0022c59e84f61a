package import Formats

/// A queue that cannot be used: its folders, its lock or its configuration.
package enum QueueError: Error, Hashable, Sendable {
  /// No folder was named for `role` (jobs, results, state) and none stands in the current folder.
  case noFolder(role: String)
  /// A line of the configuration file is not right.
  case configuration(file: String, line: Int, reason: String)
  /// Two folders must be on one file system, since renames between them carry the jobs.
  case differentFileSystems(String, String)
  /// Another daemon serves this queue.
  case alreadyServed(state: String)
  /// Results are to be kept private, and their file system has no access lists.
  case noAccessLists(results: String)
  /// The configuration names a group that there is not.
  case noGroup(String)
  /// A system call failed.
  case system(SystemError)

  /// Whether the command line, the environment or the configuration must be put right first.
  package var isUsage: Bool {
    switch self {
    case .noFolder, .configuration, .differentFileSystems, .noAccessLists, .noGroup: true
    case .alreadyServed, .system: false
    }
  }

  /// Verb, object, reason and remedy.
  package var sentence: String {
    switch self {
    case .noFolder(let role):
      "cannot find the queue's \(role) folder: name it with --\(role), set NNJOBS_\(role.uppercased()), "
        + "or go to a folder that has \(role == "state" ? ".nnjobs" : role)/"
    case .configuration(let file, let line, let reason):
      "cannot read configuration \(file): line \(line): \(reason)"
    case .differentFileSystems(let a, let b):
      "cannot serve the queue: \(a) and \(b) are on different file systems (or mounts), and a job is "
        + "claimed by a rename between them; put both on one"
    case .alreadyServed(let state):
      "cannot serve the queue: another nnjobsd holds \(state)/daemon.lock; stop it first"
    case .noAccessLists(let results):
      "cannot let only owners read what is in \(results): its file system has no access lists (acl(5)); "
        + "leave out results_group, and the folders' modes decide"
    case .noGroup(let name):
      "cannot let the group \(name) read results: there is no such group; put results_group right"
    case .system(let error): error.sentence
    }
  }
}
