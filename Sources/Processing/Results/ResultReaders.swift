package import Formats
import Glibc
package import Store

/// Who may read results besides the service: each its job's owner, and the members of one group where one is named.
package struct ResultReaders: Hashable, Sendable {
  private let group: UInt32?

  /// The rule of a configuration; nil where it is left to the folders' modes.
  ///
  /// Throws when there is no such group, or when results are kept where no access lists are.
  package init?(_ settings: Configuration, results: String) throws(QueueError) {
    guard let name = settings.resultsGroup else { return nil }
    group = name == "none" ? nil : try Self.group(name)
    do throws(SystemError) { try Self.probe(results) } catch {
      guard error.code == ENOTSUP || error.code == ENOSYS else { throw .system(error) }
      throw .noAccessLists(results: results)
    }
  }

  /// The access list of a job's result.
  package func list(for job: Job) -> AccessList {
    // The service owns what it makes, and needs no entry for itself.
    AccessList(
      users: job.uid == geteuid() ? [] : [job.uid], groups: group.map { [$0] } ?? [])
  }

  private static func group(_ name: String) throws(QueueError) -> UInt32 {
    if let number = UInt32(name) { return number }
    var entry = unsafe Glibc.group()
    var found: UnsafeMutablePointer<Glibc.group>?
    var buffer = [CChar](repeating: 0, count: 65536)
    let code = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
    guard code == 0, let found = unsafe found else { throw .noGroup(name) }
    return unsafe found.pointee.gr_gid
  }

  /// Tries whether folders in `results` can have access lists.
  private static func probe(_ results: String) throws(SystemError) {
    let folder = "\(results)/.partial-probe-\(getpid())"
    try FolderTree.make(folder)
    defer { FolderTree.remove(folder) }
    try AccessList(users: [], groups: []).apply(toFolder: folder)
  }
}
