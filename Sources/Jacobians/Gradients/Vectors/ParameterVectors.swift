/// Directions V in the space of some parameters, which products with J take: option `vectors`.
///
/// One array (P) or (K, P) with the columns of a matrix of parameters, or an object with an array for each of some
/// parameters, of its shape or with K in front; a parameter left out there is a zero.
struct ParameterVectors: Sendable {
  /// Where a parameter's part of each vector stands in an operand.
  private struct Part: Sendable {
    let operand: String
    /// Where it begins in the first vector.
    let start: Int
    /// How far apart two vectors are.
    let stride: Int
  }

  /// K.
  let count: Int
  /// Whether results have an axis of K.
  let hasAxis: Bool
  /// The parameters that the vectors move, in the network's order.
  let parameters: [Parameter]
  private let network: NetworkShape
  private let parts: [Parameter: Part]

  /// Reads the option; `parameters` are those asked for.
  init(
    reading request: GradientOptions, parameters: [Parameter]
  ) throws(PlanError) {
    let network = request.network
    let place = "\(request.place).vectors"
    let columns = parameters.reduce(0) { $0 + network.count(of: $1) }
    self.parameters = parameters
    self.network = network
    switch request.options["vectors"] {
    case .array(let shape):
      guard shape == [columns] || (shape.count == 2 && shape[1] == columns && shape[0] > 0) else {
        throw PlanError(
          place: place,
          reason: "the shape \(ParameterVectors.text(shape)) is neither (\(columns)) nor "
            + "(K, \(columns))",
          remedy: "a vector has the \(columns) numbers of the parameters asked for, in their order")
      }
      count = shape.count == 2 ? shape[0] : 1
      hasAxis = shape.count == 2
      var start = 0
      var parts: [Parameter: Part] = [:]
      for parameter in parameters {
        parts[parameter] = Part(operand: place, start: start, stride: columns)
        start += network.count(of: parameter)
      }
      self.parts = parts
    case .parameterArrays(let shapes):
      let allowed = "allowed: " + parameters.map(\.description).joined(separator: ", ")
      guard !shapes.isEmpty else {
        throw PlanError(place: place, reason: "no parameter has a vector", remedy: allowed)
      }
      var parts: [Parameter: Part] = [:]
      var found: (name: String, vectors: Int?)?
      for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
        guard let parameter = parameters.first(where: { $0.description == name }) else {
          throw PlanError(
            place: "\(place).\(name)", reason: "\"\(name)\" is none of the parameters asked for",
            remedy: allowed)
        }
        let own = network.shape(of: parameter)
        guard shape == own || (Array(shape.dropFirst()) == own && shape[0] > 0) else {
          throw PlanError(
            place: "\(place).\(name)",
            reason: "the shape \(ParameterVectors.text(shape)) is neither "
              + "\(ParameterVectors.text(own)), that of \(name), nor "
              + "(K, \(own.map(String.init).joined(separator: ", ")))")
        }
        let vectors = shape == own ? nil : shape[0]
        if let found, found.vectors != vectors {
          throw PlanError(
            place: "\(place).\(name)",
            reason: "the shape \(ParameterVectors.text(shape)) is of "
              + "\(ParameterVectors.count(vectors)), and \(found.name) has "
              + ParameterVectors.count(found.vectors),
            remedy: "give as many for each parameter")
        }
        found = (name, vectors)
        parts[parameter] = Part(
          operand: "\(place).\(name)", start: 0, stride: network.count(of: parameter))
      }
      count = found?.vectors ?? 1
      hasAxis = found?.vectors != nil
      self.parts = parts
    default:
      throw PlanError(
        place: place,
        reason: "\(request.name) takes vectors, and "
          + (request.options["vectors"] == nil ? "there are none" : "this is no array"),
        remedy: "give an array (\(columns)) or (K, \(columns)), or an object with one for each "
          + "parameter, as {\"W1\": …}")
    }
  }

  /// The lowest layer that a vector moves.
  var lowest: Int { parts.keys.map(\.layer).min() ?? 1 }

  /// Whether the vectors move a parameter.
  func moves(_ parameter: Parameter) -> Bool { parts[parameter] != nil }

  /// What the numbers of vector `k` along one parameter are read from: the array and where they begin in it.
  func place<T: Scalar>(
    _ parameter: Parameter, _ k: Int, of problem: Problem<T>
  ) -> (values: Values<T>, start: Int)? {
    guard let part = parts[parameter] else { return nil }
    return (problem.operand(part.operand), part.start + k * part.stride)
  }

  /// The same of a recurrent problem.
  func place<T: Scalar>(
    _ parameter: Parameter, _ k: Int, of problem: RecurrentProblem<T>
  ) -> (values: Values<T>, start: Int)? {
    guard let part = parts[parameter] else { return nil }
    return (problem.operand(part.operand), part.start + k * part.stride)
  }

  private static func text(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + ")"
  }

  private static func count(_ vectors: Int?) -> String {
    vectors.map { "\($0) vectors" } ?? "one vector without an axis"
  }
}
