/// One requested gradient: what it needs of the passes, the arrays it gives, and its cost.
package protocol Gradient: Sendable {
  /// The name in a job document, as `parameter-jacobian`.
  static var name: String { get }
  /// Its arrays in a fixed order, for `batch` samples.
  func arrays(batch: Int) -> [ResultArray]
}
