import Jacobians

/// A job document as it is written: every key known and of the right kind, the arrays not looked for yet.
struct WrittenJob {
  /// One array and the place that names it.
  struct WrittenArray {
    /// Where its numbers are.
    let source: ArraySource
    /// The value that says so.
    let field: DocumentField
  }

  /// One layer.
  struct Layer {
    /// W_k.
    let weights: WrittenArray
    /// b_k, if there is one.
    let biases: WrittenArray?
    /// φ_k.
    let activation: Activation
  }

  /// The kinds of networks a document may hold; each reads its own keys.
  enum NetworkType: String, CaseIterable {
    /// Layers one after the other.
    case feedForward = "feed-forward"
    /// The last outputs of the layers are fed back as their last inputs, step by step.
    case recurrent

    /// The keys of a network of this type.
    var keys: [String] {
      switch self {
      case .feedForward: ["type", "layers"]
      case .recurrent: ["type", "layers", "recurrent_units", "initial_state"]
      }
    }
  }

  /// What makes a network recurrent.
  struct WrittenRecurrence {
    /// R, and the place that says so.
    let units: (count: Int, field: DocumentField)
    /// r(0), if it is not zero.
    let initialState: WrittenArray?
    /// The length of each sequence, where they differ, and the place that says so.
    let lengths: (steps: [Int], field: DocumentField)?
    /// The strategy that is forced, if any.
    let strategy: RecurrentStrategy?
  }

  /// An entry of `gradients`, the arrays among its options not looked for yet.
  struct WrittenGradient {
    /// The gradient's name.
    let name: String
    /// The options that are no arrays.
    let options: [String: GradientRequest.Option]
    /// Those that are.
    let arrays: [WrittenOperand]
  }

  /// An array among a gradient's options, or a part of one.
  struct WrittenOperand {
    /// The option, as `vectors`.
    let option: String
    /// The parameter it belongs to, where the option is an object of such.
    let parameter: String?
    /// Where its numbers are.
    let array: WrittenArray
  }

  /// Layers 1…L.
  let layers: [Layer]
  /// What is fed back; nil for a feed-forward network.
  let recurrence: WrittenRecurrence?
  /// x.
  let inputs: WrittenArray
  /// t, if there are any.
  let targets: WrittenArray?
  /// The number type of computation and results.
  let dtype: ScalarType
  /// What is asked for.
  let gradients: [WrittenGradient]
  /// From −1000 to 1000; higher ones run earlier.
  let priority: Int
  /// Seconds that it may run; nil leaves it to the queue.
  let timeLimit: Double?
  /// Whether the results are to be checked.
  let verify: Bool

  /// Reads a document.
  init(_ document: JSONDocument, file: String) throws(FormatError) {
    let root = DocumentField(value: document.root, path: "", document: document, file: file)
    guard case .object = root.value.content else {
      throw root.refusal("\(root.value.kind) is no job document", remedy: "it is an object")
    }
    let job = try root.object()
    // The version comes first: a later one may have keys that are not known here.
    let version = try job.required("version", remedy: "write \"version\": 1")
    guard try version.integer() == 1 else {
      throw version.refusal(
        "version \(try version.integer()) is not known", remedy: "write \"version\": 1")
    }
    try job.allow([
      "version", "network", "inputs", "targets", "dtype", "gradients", "priority", "verify",
      "lengths", "strategy", "time_limit",
    ])
    let network = try job.required("network").object()
    let type = try WrittenJob.type(of: network)
    layers = try WrittenJob.layers(of: network)
    recurrence = try WrittenJob.recurrence(type, network, job)
    inputs = try WrittenJob.array(job.required("inputs"))
    targets = try job.optional("targets").map(WrittenJob.array)
    dtype = try WrittenJob.dtype(job.optional("dtype"))
    gradients = try WrittenJob.gradients(
      job.required("gradients", remedy: "it lists what is wanted, as [\"outputs\"]"))
    priority = try WrittenJob.priority(job.optional("priority"))
    timeLimit = try WrittenJob.timeLimit(job.optional("time_limit"))
    verify = try job.optional("verify")?.flag() ?? false
  }

  private static func type(of network: DocumentObject) throws(FormatError) -> NetworkType {
    let types = NetworkType.allCases.map(\.rawValue)
    let typeField = try network.required(
      "type", remedy: "allowed: " + Quotation.list(types))
    let name = try typeField.text()
    guard let type = NetworkType(rawValue: name) else {
      throw typeField.refusal(
        "\(name.quoted) is no type of network", remedy: Suggestion.remedy(for: name, among: types))
    }
    try network.allow(type.keys)
    return type
  }

  private static func layers(of network: DocumentObject) throws(FormatError) -> [Layer] {
    let layersField = try network.required("layers")
    let layers = try layersField.list()
    if layers.isEmpty { throw layersField.refusal("a network has at least one layer") }
    var result: [Layer] = []
    for field in layers {
      let layer = try field.object(allowing: ["weights", "biases", "activation"])
      let names = Activation.named.map(\.name)
      result.append(
        Layer(
          weights: try array(layer.required("weights")),
          biases: try layer.optional("biases").map(array),
          activation: try Activation(
            layer.required("activation", remedy: "allowed: " + Quotation.list(names)))))
    }
    return result
  }

  private static func recurrence(
    _ type: NetworkType, _ network: DocumentObject, _ job: DocumentObject
  ) throws(FormatError) -> WrittenRecurrence? {
    guard type == .recurrent else {
      for key in ["lengths", "strategy"] {
        if let field = job.optional(key) {
          throw field.refusal(
            "a feed-forward network has no steps",
            remedy: "leave it out, or is the network recurrent?")
        }
      }
      return nil
    }
    let field = try network.required(
      "recurrent_units", remedy: "it says how many of the last outputs are fed back")
    let units = try field.integer()
    if units < 1 { throw field.refusal("\(units) units cannot be fed back", remedy: "at least 1") }
    var lengths: (steps: [Int], field: DocumentField)?
    if let field = job.optional("lengths") {
      guard case .integers(let steps) = try GradientRequest.Option(field) else {
        throw field.mismatch("a list of whole numbers, one for each sequence")
      }
      lengths = (steps, field)
    }
    return WrittenRecurrence(
      units: (units, field), initialState: try network.optional("initial_state").map(array),
      lengths: lengths, strategy: try strategy(job.optional("strategy")))
  }

  private static func strategy(
    _ field: DocumentField?
  ) throws(FormatError) -> RecurrentStrategy? {
    guard let field else { return nil }
    let name = try field.text()
    guard let strategy = RecurrentStrategy(rawValue: name) else {
      throw field.refusal(
        "\(name.quoted) is no strategy",
        remedy: Suggestion.remedy(for: name, among: RecurrentStrategy.allCases.map(\.rawValue)))
    }
    return strategy
  }

  private static func array(_ field: DocumentField) throws(FormatError) -> WrittenArray {
    WrittenArray(source: try ArraySource(field), field: field)
  }

  private static func dtype(_ field: DocumentField?) throws(FormatError) -> ScalarType {
    guard let field else { return .float64 }
    let name = try field.text()
    guard let type = ScalarType(rawValue: name) else {
      let names = ScalarType.allCases.map(\.rawValue)
      throw field.refusal(
        "\(name.quoted) is no type to compute in",
        remedy: Suggestion.remedy(for: name, among: names))
    }
    return type
  }

  private static func gradients(_ field: DocumentField) throws(FormatError) -> [WrittenGradient] {
    let entries = try field.list()
    if entries.isEmpty { throw field.refusal("at least one gradient has to be asked for") }
    var gradients: [WrittenGradient] = []
    for entry in entries { gradients.append(try WrittenGradient(entry)) }
    return gradients
  }

  private static func timeLimit(_ field: DocumentField?) throws(FormatError) -> Double? {
    guard let field else { return nil }
    let seconds = try field.number()
    guard seconds > 0, seconds <= 1e9 else {
      throw field.refusal(
        "\(seconds) is out of range", remedy: "allowed: seconds above 0, up to 1000000000")
    }
    return seconds
  }

  private static func priority(_ field: DocumentField?) throws(FormatError) -> Int {
    guard let field else { return 0 }
    let priority = try field.integer()
    guard (-1000...1000).contains(priority) else {
      throw field.refusal("\(priority) is out of range", remedy: "allowed: −1000 to 1000")
    }
    return priority
  }
}
