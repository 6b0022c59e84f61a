import Jacobians

extension JobDocument {
  /// The document as JSON text, every array replaced by the tensor of its name in `JobArrays.named`.
  func text(priority: Int) -> String {
    let layers = network.layers.enumerated().map { (index, layer) in
      var members = [("weights", JobDocument.tensor("W\(index + 1)"))]
      if layer.hasBiases { members.append(("biases", JobDocument.tensor("b\(index + 1)"))) }
      members.append(("activation", layer.activation.text))
      return JSONText.object(members)
    }
    let type: WrittenJob.NetworkType = recurrent == nil ? .feedForward : .recurrent
    var network = [("type", JSONText.text(type.rawValue)), ("layers", JSONText.list(layers))]
    if let recurrent {
      network.append(("recurrent_units", "\(recurrent.recurrence.units)"))
      if arrays.initialState != nil {
        network.append(("initial_state", JobDocument.tensor("initial_state")))
      }
    }
    var members = [
      ("version", "1"), ("network", JSONText.object(network)),
      ("inputs", JobDocument.tensor("inputs")),
    ]
    if let lengths = recurrent?.shape.lengths {
      members.append(("lengths", JSONText.list(lengths.map(String.init))))
    }
    if let strategy = recurrent?.strategy {
      members.append(("strategy", JSONText.text(strategy.rawValue)))
    }
    if hasTargets { members.append(("targets", JobDocument.tensor("targets"))) }
    members += [
      ("dtype", JSONText.text(dtype.rawValue)),
      (
        "gradients",
        JSONText.list(gradients.enumerated().map { $1.text(at: "gradients[\($0)]") })
      ),
      ("priority", "\(priority)"),
      ("verify", "\(verify)"),
    ]
    if let timeLimit { members.append(("time_limit", JSONText.number(timeLimit))) }
    return JSONText.object(members)
  }

  fileprivate static func tensor(_ name: String) -> String {
    JSONText.object([("tensor", JSONText.text(name))])
  }
}

extension Activation {
  /// The activation in a document: its name, or an object where it has parameters.
  fileprivate var text: String {
    if parameters.isEmpty { return JSONText.text(name) }
    return JSONText.object(
      [("name", JSONText.text(name))]
        + parameters.map { ($0.name, JSONText.number($0.value)) })
  }
}

extension GradientRequest {
  /// The request in a document: its name, or an object where it has options.
  fileprivate func text(at place: String) -> String {
    if options.isEmpty { return JSONText.text(name) }
    return JSONText.object(
      [("of", JSONText.text(name))]
        + options.sorted { $0.key < $1.key }.map {
          ($0.key, $0.value.text(at: "\(place).\($0.key)"))
        })
  }
}

extension GradientRequest.Option {
  fileprivate func text(at place: String) -> String {
    switch self {
    case .text(let text): JSONText.text(text)
    case .flag(let flag): "\(flag)"
    case .texts(let texts): JSONText.list(texts.map(JSONText.text))
    case .integers(let integers): JSONText.list(integers.map(String.init))
    case .range(let from, let to): "{\"from\": \(from), \"to\": \(to)}"
    case .integer(let integer): "\(integer)"
    case .array: JobDocument.tensor(place)
    case .parameterArrays(let shapes):
      JSONText.object(
        shapes.keys.sorted().map { ($0, JobDocument.tensor("\(place).\($0)")) })
    }
  }
}
