import Formats
import Glibc
import Jacobians
import Testing

struct JobDocumentTests {
  private static func examine(_ text: String) throws(FormatError) -> JobFile {
    try JobFile(examining: Array(text.utf8), path: "jobs/a.json")
  }

  @Test func `a JSON job gives its network, inputs and requests`() throws {
    let job = try JobDocumentTests.examine(Sample.json)
    #expect(job.document.batch == 3)
    #expect(
      job.document.network
        == NetworkShape(layers: [
          LayerShape(inputs: 2, outputs: 2, hasBiases: true, activation: .tanh)
        ]))
    #expect(job.document.gradients == [GradientRequest(name: "outputs")])
    #expect(job.document.dtype == .float64)
    #expect(job.document.priority == 0)
    #expect(!job.document.verify && !job.document.hasTargets && !job.hasReferences)

    let problem = try job.problem(Double.self)
    #expect(numbers(problem.inputs) == [1, 2, 3, 4, 5, 6])
    #expect(numbers(problem.network.weights[0]) == [0.5, -1, 0.25, 2])
    #expect(problem.targets == nil)
    let single = try job.problem(Float.self)
    #expect(try numbers(#require(single.network.biases[0])) == [0, 0.1])
  }

  @Test func `every key is read`() throws {
    let job = try JobDocumentTests.examine(
      """
      {"version": 1.0, "network": {"type": "feed-forward", "layers": [
        {"weights": [[1, 2], [3, NaN], [5, Infinity]], "activation": {"name": "hard-tanh", "minimum": -2}},
        {"weights": [[1, 2, 3]], "biases": [4], "activation": "softmax"}]},
       "inputs": [1, 2], "targets": [3], "dtype": "float32", "priority": -1000, "verify": true, "time_limit": 60,
       "gradients": ["no such", {"of": "x", "form": "factored", "flag": true, "list": ["W2", "b2"],
         "outputs": [0, 3], "count": -7}]}
      """)
    let document = job.document
    #expect(
      document.network.layers.map(\.activation) == [.hardTanh(minimum: -2, maximum: 1), .softmax])
    #expect(document.network.layers.map(\.hasBiases) == [false, true])
    #expect(document.batch == 1 && document.hasTargets && document.verify)
    #expect(document.dtype == .float32 && document.priority == -1000)
    #expect(document.timeLimit == 60)
    let options: [String: GradientRequest.Option] = [
      "form": .text("factored"), "flag": .flag(true), "list": .texts(["W2", "b2"]),
      "outputs": .integers([0, 3]), "count": .integer(-7),
    ]
    #expect(
      document.gradients == [
        GradientRequest(name: "no such"), GradientRequest(name: "x", options: options),
      ])
    let problem = try job.problem(Float.self)
    #expect(numbers(problem.network.weights[0])[3].isNaN)
    #expect(try numbers(#require(problem.targets)) == [3])
  }

  private static let activations =
    "identity, tanh, sigmoid, relu, leaky-relu, elu, selu, softplus, softsign, gelu, gelu-tanh, "
    + "silu, hard-tanh, sin, softmax, log-softmax"

  private static let bad: [(text: String, sentence: String)] = [
    // The whole document.
    ("hello", #"line 1, column 1: "h" stands where a value belongs"#),
    ("[1]", "an array of numbers is no job document; it is an object"),
    ("{}", #"the key "version" is missing; write "version": 1"#),
    (#"{"version": 2, "new": 1}"#, #"version: version 2 is not known; write "version": 1"#),
    (#"{"version": "1"}"#, "version: a text stands where a whole number belongs"),
    (#"{"version": NaN}"#, "version: NaN stands where a whole number belongs"),
    (#"{"version": 1.5}"#, "version: 1.5 stands where a whole number belongs"),
    (
      #"{"version": 1, "netwrok": {}}"#,
      #"netwrok: this key is not known; did you mean "network"? allowed: version, network, inputs, targets, dtype, gradients, priority, verify, lengths, strategy, time_limit"#
    ),
    (
      #"{"version": 1, "a\nb \"c\"": 1}"#,
      #"["a\u{a}b \"c\""]: this key is not known; allowed: version, network, inputs, targets, dtype, gradients, priority, verify, lengths, strategy, time_limit"#
    ),
    (#"{"version": 1}"#, #"the key "network" is missing"#),
    (
      Sample.job(more: #", "priority": 1001"#),
      "priority: 1001 is out of range; allowed: −1000 to 1000"
    ),
    (
      Sample.job(more: #", "time_limit": 0"#),
      "time_limit: 0.0 is out of range; allowed: seconds above 0, up to 1000000000"
    ),
    (
      Sample.job(more: #", "time_limit": "1h""#),
      "time_limit: a text stands where a finite number belongs"
    ),
    (Sample.job(more: #", "priority": NaN"#), "priority: NaN stands where a whole number belongs"),
    (Sample.job(more: #", "verify": 1"#), "verify: a number stands where true or false belongs"),
    (
      Sample.job(more: #", "dtype": "Float32""#),
      #"dtype: "Float32" is no type to compute in; did you mean "float32"? allowed: float64, float32"#
    ),
    // The network.
    (
      #"{"version": 1, "network": {"type": "recurent"}, "inputs": [1], "gradients": []}"#,
      #"network.type: "recurent" is no type of network; did you mean "recurrent"? allowed: feed-forward, recurrent"#
    ),
    (
      #"{"version": 1, "network": {"layers": []}, "inputs": [1], "gradients": []}"#,
      #"network: the key "type" is missing; allowed: feed-forward, recurrent"#
    ),
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layer": []}, "inputs": [1]}"#,
      #"network.layer: this key is not known; did you mean "layers"? allowed: type, layers"#
    ),
    (Sample.job(layers: "[]"), "network.layers: a network has at least one layer"),
    (Sample.job(layers: "{}"), "network.layers: an object stands where a list belongs"),
    (Sample.job(layers: #"["tanh"]"#), "network.layers[0]: a text stands where an object belongs"),
    (
      Sample.job(layers: #"[{"activation": "tanh"}]"#),
      #"network.layers[0]: the key "weights" is missing"#
    ),
    (
      Sample.job(layers: #"[{"weights": [[1]]}]"#),
      #"network.layers[0]: the key "activation" is missing; allowed: "# + activations
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": "tahn"}]"#),
      #"network.layers[0].activation: "tahn" is no activation; did you mean "tanh"? allowed: "#
        + activations
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": "Leaky_ReLU"}]"#),
      #"network.layers[0].activation: "Leaky_ReLU" is no activation; did you mean "leaky-relu"? allowed: "#
        + activations
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": {"name": "elu", "slope": 1}}]"#),
      "network.layers[0].activation.slope: elu has no such parameter; allowed: alpha"
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": {"name": "tanh", "slope": 1}}]"#),
      "network.layers[0].activation.slope: tanh has no such parameter; it has none"
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": {"name": "elu", "alpha": NaN}}]"#),
      "network.layers[0].activation.alpha: NaN stands where a finite number belongs"
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "activation": null}]"#),
      "network.layers[0].activation: null stands where the name of an activation belongs"
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "bias": [1], "activation": "tanh"}]"#),
      #"network.layers[0].bias: this key is not known; did you mean "biases"? allowed: weights, biases, activation"#
    ),
    (
      Sample.job(layers: #"[{"weights": [[1, 2]], "biases": null, "activation": "tanh"}]"#),
      #"network.layers[0].biases: null stands where an array of numbers or {"tensor": "name"} belongs"#
    ),
    // Shapes.
    (
      Sample.job(layers: #"[{"weights": [1, 2], "activation": "tanh"}]"#),
      "network.layers[0].weights: the shape (2) is not that of a matrix; weights are (outputs, inputs)"
    ),
    (
      Sample.job(layers: #"[{"weights": [[], []], "activation": "tanh"}]"#),
      "network.layers[0].weights: the shape (2, 0) has no numbers"
    ),
    (
      Sample.job(layers: #"[{"weights": [[1], [2]], "biases": [1], "activation": "tanh"}]"#),
      "network.layers[0].biases: the shape (1) is not (2), the outputs of the weights"
    ),
    (
      Sample.job(
        layers:
          #"[{"weights": [[1, 2], [3, 4], [5, 6]], "activation": "tanh"}, {"weights": [[1, 2]], "activation": "tanh"}]"#
      ),
      "network.layers[1].weights: the shape (1, 2) does not follow (3, 2) of layers[0]: 2 columns "
        + "for 3 outputs of the layer before; weights are (outputs, inputs)"
    ),
    (
      Sample.job(
        layers:
          #"[{"weights": [[1, 2], [3, 4], [5, 6]], "activation": "tanh"}, {"weights": [[1], [2], [3]], "activation": "tanh"}]"#
      ),
      "network.layers[1].weights: the shape (3, 1) does not follow (3, 2) of layers[0]: 1 column "
        + "for 3 outputs of the layer before; weights are (outputs, inputs); are they transposed?"
    ),
    (
      Sample.job(inputs: "[[1, 2, 3]]"),
      "inputs: the shape (1, 3) is not (B, 2) or (2): 2 is what the first layer takes"
    ),
    (
      Sample.job(inputs: "[1, 2, 3]"),
      "inputs: the shape (3) is not (B, 2) or (2): 2 is what the first layer takes"
    ),
    (Sample.job(inputs: "[]"), "inputs: the shape (0) has no numbers"),
    (
      Sample.job(inputs: "1"),
      #"inputs: a number stands where an array of numbers or {"tensor": "name"} belongs"#
    ),
    (
      Sample.job(inputs: "[[1, 2], [3, 4]]", more: #", "targets": [[1], [2], [3]]"#),
      "targets: the shape (3, 1) is not (2, 1), as the inputs have 2 samples"
    ),
    (
      Sample.job(inputs: "[[1, 2], [3, 4]]", more: #", "targets": [1]"#),
      "targets: the shape (1) is not (2, 1), as the inputs have 2 samples"
    ),
    (
      Sample.job(more: #", "targets": [[1, 2]]"#),
      "targets: the shape (1, 2) is not (1, 1) or (1): 1 is what the last layer gives"
    ),
    // Sources.
    (
      Sample.job(inputs: #"{"tensor": "x"}"#),
      "inputs: a JSON file holds no tensors; write the numbers, or save the job as safetensors with the "
        + #"document under the metadata key "nnjob""#
    ),
    (
      Sample.job(inputs: #"{"file": "x.npy"}"#),
      #"inputs: a dropped job may not name another file ("x.npy"); pack it with: nnjobs submit a.json"#
    ),
    (
      Sample.job(inputs: "{}"),
      #"inputs: the object is empty; it takes an array of numbers or {"tensor": "name"}"#
    ),
    (
      Sample.job(inputs: #"{"flie": "x.npy"}"#),
      #"inputs.flie: this key is not known; did you mean "file"? allowed: tensor, file"#
    ),
    (Sample.job(inputs: #"{"tensor": 1}"#), "inputs.tensor: a number stands where a text belongs"),
    // Gradients.
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, "inputs": [1], "gradients": []}"#,
      "gradients: at least one gradient has to be asked for"
    ),
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, "inputs": [1], "gradients": "outputs"}"#,
      "gradients: a text stands where a list belongs"
    ),
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, "inputs": [1], "gradients": [{"form": "dense"}]}"#,
      #"gradients[0]: the key "of" is missing; it names the gradient"#
    ),
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, "inputs": [1], "gradients": ["outputs", {"of": "x", "outputs": [0, 1.5]}]}"#,
      "gradients[1].outputs[1]: 1.5 stands where a whole number belongs"
    ),
    (
      #"{"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, "inputs": [1], "gradients": [{"of": "x", "form": {}}]}"#,
      #"gradients[0].form: the key "from" is missing; a range is {"from": 1, "to": 9}"#
    ),
  ]

  @Test(arguments: bad)
  func `a document that is no job is refused with place, reason and remedy`(
    text: String, sentence: String
  ) {
    let error = failure { () throws(FormatError) in _ = try JobDocumentTests.examine(text) }
    #expect(error?.sentence == "cannot read jobs/a.json: " + sentence)
    #expect(error?.isIncomplete == false)
  }

  @Test func `an empty file may still become a job`() {
    for name in ["a.json", "a.safetensors", "a"] {
      let error = failure { () throws(FormatError) in _ = try JobFile(examining: [], path: name) }
      #expect(error?.isIncomplete == true)
    }
  }

  @Test func `a JSON job file beyond its limit is refused before it is read`() {
    let bytes = [UInt8](repeating: 0x20, count: JobFile.jsonByteLimit + 1)
    let error = failure { () throws(FormatError) in
      _ = try JobFile(examining: bytes, path: "a.json")
    }
    #expect(
      error?.sentence
        == "cannot read a.json: a JSON job file of 67108865 bytes is too large; at most 67108864 are read; "
        + "save the arrays as safetensors with the document in its metadata")
  }

  @Test func `what is no regular file is refused`() throws {
    let folder = try TemporaryFolder()
    let error = failure { () throws(FormatError) in
      _ = try JobFile(examining: folder.path, references: .allowed)
    }
    #expect(error?.sentence == "cannot read \(folder.path): it is not a regular file")
    // Nobody writes into it: opening must not wait.
    let fifo = folder.path + "/a.json"
    #expect(unsafe mkfifo(fifo, 0o600) == 0)
    let waiting = failure { () throws(FormatError) in
      _ = try JobFile(examining: fifo, references: .refused)
    }
    #expect(waiting?.sentence == "cannot read \(fifo): it is not a regular file")
    let missing = failure { () throws(FormatError) in
      _ = try JobFile(examining: folder.path + "/b.json", references: .allowed)
    }
    #expect(missing?.sentence == "cannot read \(folder.path)/b.json: No such file or directory")
  }
}
