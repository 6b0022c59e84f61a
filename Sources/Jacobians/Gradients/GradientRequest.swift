/// One entry of a job document's `gradients`, before its gradient has read its options.
package struct GradientRequest: Hashable, Sendable {
  /// A value an option may have in a job document.
  package enum Option: Hashable, Sendable {
    /// A text, as `"factored"`.
    case text(String)
    /// A truth value.
    case flag(Bool)
    /// A list of texts, as `["W2", "b2"]`.
    case texts([String])
    /// A list of whole numbers, as `[0, 3]`.
    case integers([Int])
    /// One whole number.
    case integer(Int)
    /// A range of whole numbers, as `{"from": 10, "to": 20}`, both ends included.
    case range(from: Int, to: Int)
    /// An array of that shape; its numbers are the problem's operand of the option's place in the document.
    case array(shape: [Int])
    /// An array for each of some parameters, as `{"W1": …, "b1": …}`; operands likewise, as `….vectors.W1`.
    case parameterArrays([String: [Int]])
  }

  /// The options that are arrays: the one table, as `[0, 1]` may be a list or an array.
  package static let arrayOptions: Set<String> = [
    "vectors", "other_inputs", "other_initial_state",
  ]

  /// The gradient's name, the value of `"of"`.
  package let name: String
  /// The other keys of the entry.
  package let options: [String: Option]

  /// The shapes of all arrays among its options.
  var operandShapes: [[Int]] {
    options.values.flatMap { option -> [[Int]] in
      switch option {
      case .array(let shape): [shape]
      case .parameterArrays(let shapes): Array(shapes.values)
      default: []
      }
    }
  }

  /// Asks for a gradient.
  package init(name: String, options: [String: Option] = [:]) {
    self.name = name
    self.options = options
  }
}
