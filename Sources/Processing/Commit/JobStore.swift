package import Store
import Synchronization

/// The daemon's store behind a lock: every slot and the intake record through this one connection.
package final class JobStore: Sendable {
  private let store: Mutex<Store>

  /// Takes over the daemon's connection.
  package init(_ store: consuming sending Store) { self.store = Mutex(store) }

  /// Runs `body` alone on the connection.
  package func record<Value: Sendable>(
    _ body: (borrowing Store) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try store.withLock { (store) throws(StoreError) -> Value in try body(store) }
  }
}
