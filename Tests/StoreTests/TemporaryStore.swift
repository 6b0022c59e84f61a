import Foundation
import Store

/// A folder for one test's store, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "nnjobs-store-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The store's file in it.
  var store: String { path + "/store.sqlite" }
}

extension NewJob {
  /// A job like any other.
  static func sample(
    _ id: Int64? = nil, name: String = "a", uid: UInt32 = 1000, priority: Int = 0
  ) -> NewJob {
    NewJob(
      id: id, name: name, file: "\(id ?? 0)-\(name).json", uid: uid, priority: priority,
      bytes: 1024, memory: 4096, cores: 2, inode: UInt64(id ?? 0) + .max / 2 + 7,
      modified: 1_700_000_000_123_456_789)
  }
}

extension JobReason {
  /// A reason like any other.
  static let sample = JobReason(code: "test", text: "because a test says so; it does not matter")
}
