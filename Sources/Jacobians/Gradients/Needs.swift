/// What a gradient reads of the passes over a block; the passes do no more than all gradients need.
package struct Needs: Sendable {
  /// The layers k whose a_k it reads; a_0 = x and a_L = y are always there.
  package var activations: Set<Int> = []
  /// Rows of the local gradients δ_k = ∂y/∂v_k that it reads.
  package var localGradients: Sweep?
  /// Rows uᵀδ_k, u = y − t, that it reads: ordinary backpropagation, one row a sample.
  package var residuals: Set<Int> = []

  /// Rows pulled back from the network's outputs.
  package struct Sweep: Sendable {
    /// The outputs whose rows are pulled back, each once.
    package var outputs: OutputSubset
    /// The layers k whose δ_k is read; 0 stands for δ_1 W_1 = ∂y/∂x.
    package var layers: Set<Int>

    /// Asks for rows of some layers.
    package init(outputs: OutputSubset, layers: Set<Int>) {
      self.outputs = outputs
      self.layers = layers
    }
  }

  /// Nothing but x and y.
  package init() {}

  /// What two gradients need together; the rows of both, at the layers of both.
  package func union(_ other: Needs) -> Needs {
    var both = self
    both.activations.formUnion(other.activations)
    both.residuals.formUnion(other.residuals)
    if let mine = localGradients, let theirs = other.localGradients {
      both.localGradients = Sweep(
        outputs: mine.outputs.union(theirs.outputs),
        layers: mine.layers.union(theirs.layers))
    } else {
      both.localGradients = localGradients ?? other.localGradients
    }
    return both
  }
}
