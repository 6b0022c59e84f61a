package import Formats
package import Store

/// Why the daemon must leave: what was written may not be there, and only a new start can find out.
package enum QueueFault: Error, Sendable {
  /// fsync failed, or a folder could not be renamed as promised.
  case files(SystemError)
  /// The store could not record.
  case store(StoreError)

  /// Whether the store found its disk full, or another process writing, and undid what was begun.
  package var mayPass: Bool {
    switch self {
    case .files: false
    case .store(let error): error.mayPass
    }
  }

  /// Verb, object, reason.
  package var sentence: String {
    switch self {
    case .files(let error): error.sentence
    case .store(let error): error.sentence
    }
  }

  /// Runs `body`; a failed system call becomes a fault of the files.
  package static func files<Value>(
    _ body: () throws(SystemError) -> Value
  ) throws(QueueFault) -> Value {
    do throws(SystemError) { return try body() } catch { throw .files(error) }
  }

  /// Runs `body`; what the store could not do becomes a fault of the store.
  package static func store<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(QueueFault) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}
