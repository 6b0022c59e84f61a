/// One array that a gradient gives, as published in `results/<name>/<path>.npy`.
package struct ResultArray: Hashable, Sendable {
  /// The gradient's name, as `parameter-jacobian`.
  package let gradient: String
  /// Where it is published, without ending, as `parameter-jacobian/W1`.
  package let path: String
  /// Its shape, as (B, m, n_1, n_0).
  package let shape: [Int]
  /// A name for each axis, as `batch`, `outputs`, `rows of W1`, `columns of W1`.
  package let axes: [String]
  /// For a matrix of parameters, the parameters along its last axis in order; otherwise empty.
  package let columns: [Parameter]

  /// Describes an array; `axes` has one name for each number in `shape`.
  package init(
    gradient: String, path: String, shape: [Int], axes: [String], columns: [Parameter] = []
  ) {
    precondition(shape.count == axes.count, "every axis has a name")
    self.gradient = gradient
    self.path = path
    self.shape = shape
    self.axes = axes
    self.columns = columns
  }

  /// How many numbers it holds; the planner has checked that this does not overflow.
  package var count: Int { shape.reduce(1, *) }
}
