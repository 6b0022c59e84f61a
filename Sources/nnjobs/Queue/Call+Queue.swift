import Glibc
import Processing
import Store

extension Call {
  /// The folders of the queue that is meant.
  func folders() throws(QueueError) -> QueueFolders { try folders(state: value(.state)) }

  /// The folders of the queue that is meant, for a command whose own `--state` is something else.
  func folders(state: String?) throws(QueueError) -> QueueFolders {
    try QueueFolders.find(
      jobs: value(.jobs), results: value(.results), state: state, environment: environment)
  }

  /// Whether the asker may do everything.
  var isRoot: Bool { geteuid() == 0 }
}

extension QueueFolders {
  /// The store, to be read.
  func openStore() throws(StoreError) -> Store {
    try Store(opening: store, access: .readOnly(daemonIsRunning: isDaemonRunning))
  }

  /// Files in the inbox that no daemon has taken yet; nil when one may not look.
  var waitingFiles: Int? {
    guard let folder = unsafe opendir(jobs) else { return nil }
    defer { unsafe closedir(folder) }
    var count = 0
    while let entry = unsafe readdir(folder) {
      let isHidden = unsafe entry.pointee.d_name.0 == CChar(bitPattern: UInt8(ascii: "."))
      if unsafe !isHidden && entry.pointee.d_type != UInt8(DT_DIR) { count += 1 }
    }
    return count
  }
}
