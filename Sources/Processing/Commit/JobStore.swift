import Glibc
package import Store
import Synchronization

/// The daemon's store behind a lock: every slot and the intake record through this one connection.
package final class JobStore: Sendable {
  private let store: Mutex<Store>
  private let insists: Atomic<Bool>
  private let lost: (@Sendable (StoreError) -> Void)?

  /// Takes over the daemon's connection; one that `insists` waits for room on a full disk where it must record.
  ///
  /// `lost` is called when the disk failed under it: even a caller that can do without what it wanted to record may not
  /// go on, since what others recorded may be lost with it, and the disk says so only once.
  package init(
    _ store: consuming sending Store, insists: Bool = false,
    lost: (@Sendable (StoreError) -> Void)? = nil
  ) {
    self.store = Mutex(store)
    self.insists = Atomic(insists)
    self.lost = lost
  }

  /// Runs `body` alone on the connection.
  package func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    do throws(StoreError) {
      return try store.withLock { (store) throws(StoreError) -> Value in try body(store) }
    } catch {
      if error.kind == .inputOutput { lost?(error) }
      throw error
    }
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
