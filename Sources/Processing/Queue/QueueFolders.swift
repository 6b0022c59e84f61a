import Formats
import Glibc

/// The three folders of a queue, and the places inside them.
package struct QueueFolders: Hashable, Sendable {
  /// The inbox: users drop job files here.
  package let jobs: String
  /// Where results are published.
  package let results: String
  /// The store, the lock and the claimed job files.
  package let state: String

  /// Names a queue's folders.
  package init(jobs: String, results: String, state: String) {
    self.jobs = jobs
    self.results = results
    self.state = state
  }

  /// Finds a queue: by the options given, else NNJOBS_*, else the configuration, else the current folder.
  package static func find(
    jobs: String?, results: String?, state: String?, environment: [String: String],
    configuration: Configuration? = nil
  ) throws(QueueError) -> QueueFolders {
    let settings: Configuration
    if let configuration {
      settings = configuration
    } else {
      settings = try Configuration(environment: environment)
    }
    func folder(
      _ role: String, _ option: String?, _ configured: String?, _ here: String
    ) throws(QueueError) -> String {
      if let named = option ?? environment["NNJOBS_" + role.uppercased()] ?? configured {
        return named.count > 1 && named.hasSuffix("/") ? String(named.dropLast()) : named
      }
      // Where jobs/ is, a queue's state belongs beside it, even before its first daemon made the folder.
      guard unsafe access(role == "state" ? "jobs" : here, F_OK) == 0 else {
        throw .noFolder(role: role)
      }
      return here
    }
    return QueueFolders(
      jobs: try folder("jobs", jobs, settings.jobs, "jobs"),
      results: try folder("results", results, settings.results, "results"),
      state: try folder("state", state, settings.state, ".nnjobs"))
  }

  /// The SQLite store.
  package var store: String { state + "/store.sqlite" }
  /// Admitted job files, as `<id>-<name of the dropped file>`.
  package var claimed: String { state + "/claimed" }
  /// The lock the serving daemon holds.
  package var lock: String { state + "/daemon.lock" }
  /// Dropped files that are no valid jobs, each beside its `.reason.txt`.
  package var refused: String { jobs + "/refused" }

  /// What the name of a file begins with by which `prepare` tries a rename; recovery removes what a crash left of it.
  package static let probePrefix = ".probe-"

  /// Makes the folders that are missing and checks that renames between inbox and state are possible.
  package func prepare() throws(QueueError) {
    for path in [jobs, results, state, claimed, refused, logs] {
      if unsafe mkdir(path, 0o755) == 0 {
        // Else a power cut could take it away, with all that was put into it durably.
        do throws(SystemError) { try QueueFolders.synchronizeName(of: path) } catch {
          throw .system(error)
        }
      } else if errno != EEXIST {
        throw .system(SystemError(call: "make folder", object: path, code: errno))
      }
    }
    // Job files are their owners': nobody else lists or reads them here, whatever their own modes let. Only the owner
    // can set a mode, and for a folder of somebody else's making that is their own affair.
    unsafe chmod(claimed, 0o700)
    unsafe chmod(refused, 0o711)
    // A rename decides, not st_dev: mounts of one file system refuse it too.
    let probe = "\(jobs)/\(QueueFolders.probePrefix)\(getpid())"
    let target = "\(claimed)/\(QueueFolders.probePrefix)\(getpid())"
    do throws(SystemError) {
      _ = try Descriptor(opening: probe, O_CREAT | O_WRONLY)
      try SystemCall.retrying("rename", probe) { unsafe rename(probe, target) }
      unsafe unlink(target)
    } catch {
      unsafe unlink(probe)
      throw error.code == EXDEV ? .differentFileSystems(jobs, state) : .system(error)
    }
  }

  /// Makes a new folder's name last; where its parent may be written and not read, with all of its file system.
  private static func synchronizeName(of path: String) throws(SystemError) {
    let parent =
      path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    do throws(SystemError) { try Descriptor.synchronizeFolder(parent) } catch {
      guard error.code == EACCES else { throw error }
      try Descriptor(opening: path, O_RDONLY | O_DIRECTORY).synchronizeFileSystem()
    }
  }
}
