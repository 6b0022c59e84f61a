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
  }

  /// The gradient's name, the value of `"of"`.
  package let name: String
  /// The other keys of the entry.
  package let options: [String: Option]

  /// Asks for a gradient.
  package init(name: String, options: [String: Option] = [:]) {
    self.name = name
    self.options = options
  }
}
