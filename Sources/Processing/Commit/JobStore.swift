import Glibc
package import Store
import Synchronization

/// The daemon's store behind a lock: every slot and the intake record through this one connection.
package final class JobStore: Sendable {
  private let store: Mutex<Store>
  private let insists: Atomic<Bool>

  /// Takes over the daemon's connection; one that `insists` waits for room on a full disk where it must record.
  package init(_ store: consuming sending Store, insists: Bool = false) {
    self.store = Mutex(store)
    self.insists = Atomic(insists)
  }

  /// Runs `body` alone on the connection.
  package func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try store.withLock { (store) throws(StoreError) -> Value in try body(store) }
  }

  /// Records what has happened and must not be forgotten: while the disk is full, again and again.
  ///
  /// SQLite undid the statement that found no room, so it may be tried again (an I/O error may not). Others use the
  /// connection in between. Ends with the error once `giveUp` is called.
  package func insist<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    var pause: UInt32 = 20_000
    while true {
      do throws(StoreError) { return try record(body) } catch {
        guard error.mayPass, insists.load(ordering: .relaxed) else { throw error }
        usleep(pause)
        pause = min(2 * pause, 1_000_000)
      }
    }
  }

  /// Insists no more: the daemon stops, and its next start finds out what was not recorded.
  package func giveUp() { insists.store(false, ordering: .relaxed) }
}

extension StoreError {
  /// Whether the same may succeed a little later: the disk is full, or another process writes.
  package var mayPass: Bool { kind == .full || kind == .busy }
}
