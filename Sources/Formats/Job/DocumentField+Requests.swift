import Jacobians

extension Activation {
  /// Reads `"tanh"`, or `{"name": "leaky-relu", "slope": 0.01}` where an activation has parameters.
  init(_ field: DocumentField) throws(FormatError) {
    switch field.value.content {
    case .text(let name): self = try Activation.named(name, field)
    case .object:
      let object = try field.object()
      let nameField = try object.required("name")
      var activation = try Activation.named(nameField.text(), nameField)
      let parameters = activation.parameters.map(\.name)
      for member in object.members where member.key != "name" {
        let parameter = object.field(member.key)
        guard parameters.contains(member.key),
          let changed = activation.setting(member.key, to: try parameter.number())
        else {
          throw parameter.refusal(
            "\(activation.name) has no such parameter",
            remedy: parameters.isEmpty
              ? "it has none" : Suggestion.remedy(for: member.key, among: parameters))
        }
        activation = changed
      }
      self = activation
    default: throw field.mismatch("the name of an activation")
    }
  }

  private static func named(
    _ name: String, _ field: DocumentField
  ) throws(FormatError) -> Activation {
    guard let activation = Activation(named: name) else {
      throw field.refusal(
        "\(name.quoted) is no activation",
        remedy: Suggestion.remedy(for: name, among: Activation.named.map(\.name)))
    }
    return activation
  }
}

extension WrittenJob.WrittenGradient {
  /// Reads `"outputs"`, or `{"of": "parameter-jacobian", "form": "factored"}`; what the names mean the planner judges.
  init(_ field: DocumentField) throws(FormatError) {
    switch field.value.content {
    case .text(let name): self.init(name: name, options: [:], arrays: [])
    case .object:
      let object = try field.object()
      let name = try object.required("of", remedy: "it names the gradient").text()
      var options: [String: GradientRequest.Option] = [:]
      var arrays: [WrittenJob.WrittenOperand] = []
      for member in object.members where member.key != "of" {
        let field = object.field(member.key)
        if GradientRequest.arrayOptions.contains(member.key) {
          arrays += try WrittenJob.WrittenOperand.list(member.key, field)
        } else {
          options[member.key] = try GradientRequest.Option(field)
        }
      }
      self.init(name: name, options: options, arrays: arrays)
    default: throw field.mismatch("the name of a gradient, or an object with it under \"of\"")
    }
  }
}

extension WrittenJob.WrittenOperand {
  /// Reads an array, or an object with an array for each of some parameters.
  fileprivate static func list(
    _ option: String, _ field: DocumentField
  ) throws(FormatError) -> [WrittenJob.WrittenOperand] {
    guard case .object(let members) = field.value.content, !members.isEmpty,
      !members.contains(where: { $0.key == "tensor" || $0.key == "file" })
    else {
      let array = WrittenJob.WrittenArray(source: try ArraySource(field), field: field)
      return [WrittenJob.WrittenOperand(option: option, parameter: nil, array: array)]
    }
    let object = try field.object()
    var operands: [WrittenJob.WrittenOperand] = []
    for member in members {
      let own = object.field(member.key)
      operands.append(
        WrittenJob.WrittenOperand(
          option: option, parameter: member.key,
          array: WrittenJob.WrittenArray(source: try ArraySource(own), field: own)))
    }
    return operands
  }
}

extension GradientRequest.Option {
  /// Reads a text, a truth value, a whole number, or a list of texts or of whole numbers.
  init(_ field: DocumentField) throws(FormatError) {
    switch field.value.content {
    case .text(let text): self = .text(text)
    case .flag(let flag): self = .flag(flag)
    case .number: self = .integer(try field.integer())
    case .numbers(let start, let shape) where shape.count == 1 && shape[0] > 0:
      var integers: [Int] = []
      for i in 0..<shape[0] {
        let number = field.document.numbers.span[start + i]
        let place = DocumentField(
          value: field.value, path: "\(field.path)[\(i)]", document: field.document,
          file: field.file)
        integers.append(try place.integer(number))
      }
      self = .integers(integers)
    case .list:
      var texts: [String] = []
      for entry in try field.list() { texts.append(try entry.text()) }
      self = .texts(texts)
    case .object:
      let object = try field.object(allowing: ["from", "to"])
      let remedy = #"a range is {"from": 1, "to": 9}"#
      self = .range(
        from: try object.required("from", remedy: remedy).integer(),
        to: try object.required("to", remedy: remedy).integer())
    default: throw field.mismatch("a text, true, false, a whole number or a list of such")
    }
  }
}
