import Formats
package import Store

/// An error that says whether the same may succeed a little later.
package protocol PassingFailure: Error {
  /// Whether it may.
  var mayPass: Bool { get }
  /// Verb, object, reason.
  var sentence: String { get }
}

extension StoreError: PassingFailure {}
extension QueueFault: PassingFailure {}

extension QueueError: PassingFailure {
  /// Whether the disk was full, or its quota used up.
  package var mayPass: Bool {
    if case .system(let error) = self { return error.isDiskFull }
    return false
  }
}
