/// The options of one request, read by its gradient; every mistake is told with its place in the document.
package struct GradientOptions: Sendable {
  /// Where the request stands, as `gradients[1]`.
  package let place: String
  /// The network it is asked of.
  package let network: NetworkShape
  /// B, the number of samples.
  package let batch: Int
  /// How many outputs a gradient may choose from: all of the network's, unless some are fed back.
  let outputCount: Int
  /// The options as they stand in the document.
  let options: [String: GradientRequest.Option]
  /// The gradient's name.
  let name: String
  private let hasTargets: Bool

  /// Checks that all options of the request are among `allowed`.
  package init(
    _ request: GradientRequest, at place: String, network: NetworkShape, batch: Int = 0,
    hasTargets: Bool, allowed: [String], outputCount: Int? = nil
  ) throws(PlanError) {
    for option in request.options.keys.sorted() where !allowed.contains(option) {
      throw PlanError(
        place: "\(place).\(option)", reason: "\(request.name) has no option \"\(option)\"",
        remedy: allowed.isEmpty
          ? "it takes none" : "allowed: " + allowed.joined(separator: ", "))
    }
    self.place = place
    self.network = network
    self.batch = batch
    self.outputCount = outputCount ?? network.outputs
    self.hasTargets = hasTargets
    name = request.name
    options = request.options
  }

  /// The value of an option that is one of some words; the first of them when it is missing.
  package func choice<C: RawRepresentable<String> & CaseIterable>(
    _ option: String, _ type: C.Type, default missing: C
  ) throws(PlanError) -> C {
    guard let value = options[option] else { return missing }
    let allowed =
      "allowed: " + C.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    guard case .text(let text) = value else {
      throw PlanError(
        place: "\(place).\(option)", reason: "\(option) is one word", remedy: allowed)
    }
    guard let choice = C(rawValue: text) else {
      throw PlanError(
        place: "\(place).\(option)", reason: "no \(option) \"\(text)\"", remedy: allowed)
    }
    return choice
  }

  /// The value of an option that is true or false; false when it is missing.
  package func flag(_ option: String) throws(PlanError) -> Bool {
    guard let value = options[option] else { return false }
    guard case .flag(let flag) = value else {
      throw PlanError(
        place: "\(place).\(option)", reason: "\(option) is a truth value",
        remedy: "allowed: true, false")
    }
    return flag
  }

  /// The `parameters` asked for, in the network's order; all of them when the option is missing.
  package func parameters() throws(PlanError) -> [Parameter] {
    let all = network.parameters
    guard let value = options["parameters"] else { return all }
    let allowed = "allowed: " + all.map(\.description).joined(separator: ", ")
    let texts: [String]
    switch value {
    case .texts(let list): texts = list
    case .integers(let list) where list.isEmpty: texts = []
    default:
      throw PlanError(
        place: "\(place).parameters", reason: "parameters is a list of names", remedy: allowed)
    }
    guard !texts.isEmpty else {
      throw PlanError(
        place: "\(place).parameters", reason: "no parameter is asked for", remedy: allowed)
    }
    var seen: Set<String> = []
    for (i, text) in texts.enumerated() {
      guard all.contains(where: { $0.description == text }) else {
        throw PlanError(
          place: "\(place).parameters[\(i)]", reason: "the network has no parameter \"\(text)\"",
          remedy: allowed)
      }
      guard seen.insert(text).inserted else {
        throw PlanError(
          place: "\(place).parameters[\(i)]", reason: "\"\(text)\" is asked for twice",
          remedy: "ask for each parameter once")
      }
    }
    return all.filter { seen.contains($0.description) }
  }

  /// The `outputs` asked for, in the order asked for; all of them when the option is missing.
  package func outputs() throws(PlanError) -> OutputSubset {
    try outputs(of: outputCount)
  }

  /// The same among the first `count` outputs.
  func outputs(of count: Int) throws(PlanError) -> OutputSubset {
    guard let value = options["outputs"] else { return OutputSubset(allOf: count) }
    let allowed = "allowed: \(count == 1 ? "0" : "0 to \(count - 1)"), each once"
    let outputs: [Int]
    switch value {
    case .integers(let list): outputs = list
    case .texts(let list) where list.isEmpty: outputs = []
    default:
      throw PlanError(
        place: "\(place).outputs", reason: "outputs is a list of whole numbers", remedy: allowed)
    }
    guard !outputs.isEmpty else {
      throw PlanError(
        place: "\(place).outputs", reason: "no output is asked for", remedy: allowed)
    }
    var seen: Set<Int> = []
    for (i, output) in outputs.enumerated() {
      guard (0..<count).contains(output) else {
        throw PlanError(
          place: "\(place).outputs[\(i)]", reason: "the network has no output \(output)",
          remedy: allowed)
      }
      guard seen.insert(output).inserted else {
        throw PlanError(
          place: "\(place).outputs[\(i)]", reason: "output \(output) is asked for twice",
          remedy: allowed)
      }
    }
    return OutputSubset(outputs)
  }

  /// Insists that the job has targets.
  package func requireTargets() throws(PlanError) {
    guard hasTargets else {
      throw PlanError(
        place: place, reason: "\(name) compares with targets, and the job has none",
        remedy: "give \"targets\", one row of \(outputCount) for each sample")
    }
  }
}
