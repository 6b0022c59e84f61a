/// The cheapest order in which ∂y/∂x = F_L F_{L−1} … F_1, F_k = ∂φ_k/∂v_k W_k, is multiplied out for a batch.
///
/// Dynamic programming over the chain (Godbole 1973), with the costs of a batch: W_k is the same for all samples and
/// ∂φ_k/∂v_k is not, mostly a diagonal. So X F_k is X scaled and one product of all samples' stacked rows with W_k;
/// F_k Y likewise from the left; of two products of several layers each sample has its own.
package struct Bracketing: Sendable {
  /// An order of multiplication.
  indirect enum Node: Sendable {
    /// F_k.
    case factor(Int)
    /// The product of two parts of the chain, the left one nearer to the outputs.
    case product(Node, Node)

    /// The layers it spans.
    var layers: ClosedRange<Int> {
      switch self {
      case .factor(let k): k...k
      case .product(let left, let right): right.layers.lowerBound...left.layers.upperBound
      }
    }

    /// `F3 (F2 F1)`.
    var text: String {
      switch self {
      case .factor(let k): "F\(k)"
      case .product(let left, let right):
        left.text + " " + (right.isFactor ? right.text : "(\(right.text))")
      }
    }

    var isFactor: Bool { if case .factor = self { true } else { false } }
  }

  /// The cheapest order.
  let tree: Node
  /// Its operations for one sample.
  package let operations: Double
  /// Those of the sweep of stage 2, from the outputs to the inputs.
  package let sweepOperations: Double
  /// Whether it is used: products of one sample are slower than stacked ones, so it has to be cheaper by a quarter.
  package internal(set) var isTaken: Bool
  /// The most rows of one sample that are stacked.
  let widestStack: Int

  /// The order in signs, as `F3 (F2 F1)`; what is not bracketed goes from left to right.
  package var text: String { tree.text }

  /// Finds the cheapest order for some outputs of a network.
  init(of network: NetworkShape, outputs: OutputSubset) {
    let cost = ChainCost(network: network, outputs: outputs.count)
    let last = network.layers.count
    var best: [[(operations: Double, tree: Node)]] = []
    // best[i − 1][j − 1]: F_i … F_j, for j ≤ i.
    for i in 1...last {
      var row: [(operations: Double, tree: Node)] = []
      for j in 1...i {
        row.append((i == j ? cost.factor(i) : .infinity, .factor(i)))
      }
      best.append(row)
    }
    for length in stride(from: 1, to: last, by: 1) {
      for j in 1...(last - length) {
        let i = j + length
        for split in j..<i {
          // The left part ends with F_{split + 1}.
          let left = best[i - 1][split]
          let right = best[split - 1][j - 1]
          let operations = cost.product(i, split, j, left: left.operations, right: right.operations)
          if operations < best[i - 1][j - 1].operations {
            best[i - 1][j - 1] = (operations, .product(left.tree, right.tree))
          }
        }
      }
    }
    tree = best[last - 1][0].tree
    operations = best[last - 1][0].operations
    var sweep = cost.factor(last)
    for j in stride(from: last - 1, through: 1, by: -1) {
      sweep = cost.product(last, j, j, left: sweep, right: cost.factor(j))
    }
    sweepOperations = sweep
    isTaken = last > 2 && operations < 0.75 * sweep
    widestStack = Bracketing.stack(tree, cost)
  }

  private static func stack(_ node: Node, _ cost: ChainCost) -> Int {
    let layers = node.layers
    let own = max(cost.rows(layers.upperBound), cost.network.width(layers.lowerBound - 1))
    guard case .product(let left, let right) = node else { return own }
    return max(own, stack(left, cost), stack(right, cost))
  }
}

/// Operations of one sample for parts of the chain.
private struct ChainCost {
  let network: NetworkShape
  /// m of the outputs asked for.
  let outputs: Int

  func rows(_ k: Int) -> Int { k == network.layers.count ? outputs : network.width(k) }

  /// F_k by itself: W_k, its rows scaled, for a softmax less their mean.
  func factor(_ k: Int) -> Double {
    let activation = network.layers[k - 1].activation
    let size = Double(rows(k)) * Double(network.width(k - 1))
    let inputs = Double(network.width(k - 1))
    return activation.isElementwise ? size : 2 * size + 2 * inputs * Double(network.width(k))
  }

  /// (F_i … F_{split + 1}) (F_split … F_j), the costs of both given.
  func product(_ i: Int, _ split: Int, _ j: Int, left: Double, right: Double) -> Double {
    let (height, depth, width) = (
      Double(rows(i)), Double(network.width(split)), Double(network.width(j - 1))
    )
    let multiplied = 2 * height * depth * width
    if split == j { return left + multiplied + height * depth }
    if i == split + 1 { return right + multiplied + height * width }
    return left + right + multiplied
  }
}
