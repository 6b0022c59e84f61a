/// What a gradient reads of the passes over a block; the passes do no more than all gradients need.
package struct Needs: Sendable {
  /// The layers k whose a_k it reads; a_0 = x and a_L = y are always there.
  package var activations: Set<Int> = []
  /// Rows of the local gradients δ_k = ∂y/∂v_k that it reads.
  package var localGradients: Sweep?
  /// Rows uᵀδ_k, u = y − t, that it reads: ordinary backpropagation, one row a sample.
  package var residuals: Set<Int> = []
  /// The layers k whose ∂φ_k/∂v_k it reads, to move rows of its own through them.
  package var slopes: Set<Int> = []
  /// How many rows of its own for each sample it moves through the layers.
  package var ownRows = 0

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
    both.slopes.formUnion(other.slopes)
    both.ownRows = max(ownRows, other.ownRows)
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
