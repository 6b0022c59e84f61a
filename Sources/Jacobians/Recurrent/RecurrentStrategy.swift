/// The three exact ways to ∂z(n)/∂w; they differ in cost and memory only.
///
/// All cut time into windows of h steps, go backwards within a window and carry S = ∂r/∂w over its edge:
///
/// - `forward`, h = 1: the seed's recursion ∂z(n)/∂w = E(n) + R(n) S(n−1);
/// - `adjoint`, h = T: backpropagation through time of every output, nothing is carried;
/// - `blocked`, any h between.
package enum RecurrentStrategy: String, CaseIterable, Sendable {
  /// The seed's recursion.
  case forward
  /// Backpropagation through time of every output.
  case adjoint
  /// Backwards within blocks of time, S carried from block to block.
  case blocked
}
