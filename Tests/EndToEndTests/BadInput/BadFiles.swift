extension BadFile {
  /// A job that is right; every bad document differs from it in one place.
  static let good = """
    {"version": 1, "network": {"type": "feed-forward", "layers": [\
    {"weights": [[1, 2], [3, 4]], "biases": [0, 0], "activation": "tanh"}, \
    {"weights": [[1, 1]], "activation": "identity"}]}, \
    "inputs": [[1, 2]], "targets": [[0]], "gradients": ["outputs", "loss"]}
    """

  private static func good(_ part: String, is other: String) -> String {
    let changed = good.replacing(part, with: other, maxReplacements: 1)
    precondition(changed != good, "\(part) is in the document")
    return changed
  }

  /// The good job with W1 in a tensor.
  private static let withTensor = good("[[1, 2], [3, 4]]", is: #"{"tensor": "W1"}"#)

  /// A safetensors file of the good job whose one tensor has this entry.
  private static func safetensors(
    name: String = "W1", dtype: String = "F64", shape: String = "[2, 2]",
    offsets: String = "[0, 32]",
    document: String? = withTensor, bytes: Int = 32
  ) -> [UInt8] {
    var text = SafetensorsText()
    text.metadata = document
    text.entries = [
      #""\#(name)": {"dtype": "\#(dtype)", "shape": \#(shape), "data_offsets": \#(offsets)}"#
    ]
    return text.head + [UInt8](repeating: 0, count: bytes)
  }

  /// No JSON, or not the JSON of a job.
  static let noJSON = [
    BadFile("text.json", "hello\n", #"line 1, column 1: "h" stands where a value belongs"#),
    BadFile(
      "python.json", "{'version': 1}",
      #"line 1, column 2: "'" stands where a key in quotes belongs"#),
    BadFile(
      "zeros.json", [UInt8](repeating: 0, count: 10),
      "line 1, column 1: byte 0x00 stands where a value belongs"),
    BadFile(
      "not-utf-8.json", Array(#"{"version"#.utf8) + [0xff] + Array(#"": 1}"#.utf8),
      "line 1, column 10: the text is not UTF-8"),
    BadFile(
      "behind.json", good + "}", #"line 1, column 256: "}" stands after the document"#),
    BadFile(
      "comma.json", good("[0, 0]", is: "[0, 0,]"),
      #"line 1, column 109: "]" stands where a number belongs"#),
    BadFile(
      "twice.json", good(#""version": 1"#, is: #""version": 1, "version": 1"#),
      #"line 1, column 16: the key "version" stands twice in one object, first in line 1, column 2"#
    ),
    BadFile(
      "deep.json", String(repeating: "[", count: 100),
      "line 1, column 65: nested deeper than 64 levels"),
    BadFile("list.json", "[1, 2]", "an array of numbers is no job document; it is an object"),
    BadFile(
      "ragged.json", good("[[1, 2], [3, 4]]", is: "[[1, 2], [3]]"),
      "line 1, column 84: an array of length 1 stands beside arrays of length 2; all rows of an "
        + "array have one length"),
    BadFile(
      "beyond.json", good("[[1, 1]]", is: "[[1e999, 1]]"),
      #"line 1, column 148: "1e999" is beyond double precision; write Infinity if that is meant"#),
  ]

  /// Keys, names and values that are not known.
  static let unknown = [
    BadFile(
      "no-version.json", good(#""version": 1, "#, is: ""),
      #"the key "version" is missing; write "version": 1"#),
    BadFile(
      "version.json", good(#""version": 1"#, is: #""version": 2"#),
      #"version: version 2 is not known; write "version": 1"#),
    BadFile(
      "nan-version.json", good(#""version": 1"#, is: #""version": NaN"#),
      "version: NaN stands where a whole number belongs"),
    BadFile(
      "key.json", good(#""targets""#, is: #""target""#),
      #"target: this key is not known; did you mean "targets"? allowed: version, network, inputs, "#
        + "targets, dtype, gradients, priority, verify, lengths, strategy, time_limit"),
    BadFile(
      "layer-key.json", good(#""biases""#, is: #""bias""#),
      #"network.layers[0].bias: this key is not known; did you mean "biases"? allowed: weights, "#
        + "biases, activation"),
    BadFile(
      "activation.json", good("tanh", is: "tahn"),
      #"network.layers[0].activation: "tahn" is no activation; did you mean "tanh"? allowed: "#
        + "identity, tanh, sigmoid, relu, leaky-relu, elu, selu, softplus, softsign, gelu, "
        + "gelu-tanh, silu, hard-tanh, sin, softmax, log-softmax"),
    BadFile(
      "parameter.json", good(#""tanh""#, is: #"{"name": "tanh", "slope": 1}"#),
      "network.layers[0].activation.slope: tanh has no such parameter; it has none"),
    BadFile(
      "dtype.json", good(#""gradients""#, is: #""dtype": "float16", "gradients""#),
      #"dtype: "float16" is no type to compute in; did you mean "float64"? allowed: float64, float32"#
    ),
    BadFile(
      "priority.json", good(#""gradients""#, is: #""priority": 1001, "gradients""#),
      "priority: 1001 is out of range; allowed: −1000 to 1000"),
    BadFile(
      "no-gradients.json", good(#"["outputs", "loss"]"#, is: "[]"),
      "gradients: at least one gradient has to be asked for"),
    planned(
      "gradient.json", good(#""loss""#, is: #""hessian""#),
      #"gradients[1]: no gradient "hessian"; allowed: outputs, parameter-jacobian, input-jacobian, "#
        + "local-gradients, loss, loss-gradient, jvp, vjp, gauss-newton-diagonal, "
        + "gauss-newton-product, gauss-newton, neural-tangent-kernel, norms, singular-values"),
    planned(
      "option.json", good(#""loss""#, is: #"{"of": "loss", "form": "dense"}"#),
      #"gradients[1].form: loss has no option "form"; it takes none"#),
    planned(
      "form.json", good(#""loss""#, is: #"{"of": "parameter-jacobian", "form": "sparse"}"#),
      #"gradients[1].form: no form "sparse"; allowed: "dense", "factored""#),
    planned(
      "subset.json", good(#""loss""#, is: #"{"of": "parameter-jacobian", "parameters": ["W9"]}"#),
      #"gradients[1].parameters[0]: the network has no parameter "W9"; allowed: W1, b1, W2"#),
    planned(
      "no-targets.json", good(#""targets": [[0]], "#, is: ""),
      #"gradients[1]: loss compares with targets, and the job has none; give "targets", one row of "#
        + "1 for each sample"),
  ]

  private static func planned(_ name: String, _ text: String, _ sentence: String) -> BadFile {
    BadFile(
      name: Array(name.utf8), .bytes(Array(text.utf8)), kept: name,
      "cannot plan jobs/\(name): \(sentence)")
  }

  /// Shapes that do not fit together.
  static let misshapen = [
    BadFile(
      "chain.json", good("[[1, 1]]", is: "[[1, 1, 1]]"),
      "network.layers[1].weights: the shape (1, 3) does not follow (2, 2) of layers[0]: 3 columns "
        + "for 2 outputs of the layer before; weights are (outputs, inputs)"),
    BadFile(
      "transposed.json", good("[[1, 1]]", is: "[[1], [1]]"),
      "network.layers[1].weights: the shape (2, 1) does not follow (2, 2) of layers[0]: 1 column "
        + "for 2 outputs of the layer before; weights are (outputs, inputs); are they transposed?"),
    BadFile(
      "biases.json", good("[0, 0]", is: "[0, 0, 0]"),
      "network.layers[0].biases: the shape (3) is not (2), the outputs of the weights"),
    BadFile(
      "inputs.json", good("[[1, 2]], \"targets\"", is: "[[1, 2, 3]], \"targets\""),
      "inputs: the shape (1, 3) is not (B, 2) or (2): 2 is what the first layer takes"),
    BadFile(
      "batch.json",
      good("[[1, 2]], \"targets\": [[0]]", is: "[[1, 2], [3, 4]], \"targets\": [[0]]"),
      "targets: the shape (1, 1) is not (2, 1), as the inputs have 2 samples"),
    BadFile(
      "target-width.json", good("[[0]]", is: "[[0, 1]]"),
      "targets: the shape (1, 2) is not (1, 1) or (1): 1 is what the last layer gives"),
    BadFile(
      "null.json", good("[[1, 1]]", is: "null"),
      #"network.layers[1].weights: null stands where an array of numbers or {"tensor": "name"} belongs"#
    ),
  ]

  /// Files that are no safetensors, lie about themselves, or do not hold what is asked of them.
  static let wrongSafetensors = [
    BadFile(
      "2-to-the-63.safetensors", SafetensorsText.length(1 << 63) + Array("{}".utf8),
      "byte 0: the header claims 9223372036854775808 bytes; at most 100000000 are allowed; "
        + "safetensors.numpy.save_file writes such a file"),
    BadFile(
      "all-ones.safetensors", [UInt8](repeating: 255, count: 64),
      "byte 0: the header claims 18446744073709551615 bytes; at most 100000000 are allowed; "
        + "safetensors.numpy.save_file writes such a file"),
    BadFile(
      "nan-shape.safetensors", safetensors(shape: "[NaN, 2]"),
      #"tensor "W1": its shape is not a list of whole numbers"#),
    BadFile(
      "huge-shape.safetensors", safetensors(shape: "[4611686018427387904, 4]"),
      #"tensor "W1": its shape is not a list of whole numbers"#),
    BadFile(
      "overflow.safetensors", safetensors(shape: "[4503599627370496, 4503599627370496]"),
      #"tensor "W1": the shape (4503599627370496, 4503599627370496) of F64 takes too many or no whole bytes"#
    ),
    BadFile(
      "offset.safetensors", safetensors(offsets: "[0, 9223372036854775808]"),
      #"tensor "W1": its data_offsets are not two whole numbers in order"#),
    BadFile(
      "lying-shape.safetensors", safetensors(shape: "[2, 3]"),
      #"tensor "W1": the shape (2, 3) of F64 takes 48 bytes, data_offsets give 32"#),
    BadFile(
      "hole.safetensors", safetensors(offsets: "[8, 40]", bytes: 40),
      #"tensor "W1": its bytes begin at 8, those before end at 0; tensors follow one another "#
        + "without a hole or an overlap"),
    BadFile(
      "tail.safetensors", safetensors(bytes: 33),
      "byte \(safetensors(bytes: 32).count): the last tensor ends here, 1 byte before the file does"
    ),
    BadFile(
      "missing.safetensors", safetensors(name: "W2"),
      #"network.layers[0].weights: there is no tensor "W1"; did you mean "W2"? allowed: W2"#),
    BadFile(
      "type.safetensors", safetensors(dtype: "I64"),
      #"network.layers[0].weights: tensor "W1" is of type "I64"; supported are F64, F32, F16 and BF16"#
    ),
    BadFile(
      "no-document.safetensors", safetensors(document: nil),
      #"__metadata__: the key "nnjob" is missing; save the file with metadata={"nnjob": json.dumps(document)}"#
    ),
    BadFile(
      "cut-document.safetensors", safetensors(document: String(withTensor.prefix(100))),
      "__metadata__.nnjob, line 1, column 101: ends before the document is complete"),
  ]

  /// Jobs that name other files.
  static let references = [
    BadFile(
      "reference.json", good("[[1, 1]]", is: #"{"file": "w.npy"}"#),
      #"network.layers[1].weights: a dropped job may not name another file ("w.npy"); pack it with: "#
        + "nnjobs submit reference.json"),
    BadFile(
      "escape.json", good("[[1, 1]]", is: #"{"file": "/etc/shadow"}"#),
      #"network.layers[1].weights: a dropped job may not name another file ("/etc/shadow"); pack it "#
        + "with: nnjobs submit escape.json"),
    BadFile(
      "tensor.json", good("[[1, 1]]", is: #"{"tensor": "w"}"#),
      "network.layers[1].weights: a JSON file holds no tensors; write the numbers, or save the job "
        + "as safetensors with the document under the metadata key \"nnjob\""),
  ]

  /// What is no file, or has no name for a job.
  static let noFiles = [
    BadFile(
      name: Array("folder.json".utf8), .folder, kept: "folder.json",
      "cannot read jobs/folder.json: it is a folder; drop job files one by one"),
    BadFile(
      name: Array("fifo.json".utf8), .fifo, kept: "fifo.json",
      "cannot read jobs/fifo.json: it is no regular file; drop a .json or .safetensors file"),
    BadFile(
      name: Array("socket.json".utf8), .socket, kept: "socket.json",
      "cannot read jobs/socket.json: it is no regular file; drop a .json or .safetensors file"),
    BadFile(
      name: Array("link.json".utf8), .link(to: "/etc/passwd"), kept: "link.json",
      "cannot read jobs/link.json: it is a symbolic link; copy the file it points to"),
    BadFile(
      name: Array("endless.json".utf8), .link(to: "/dev/zero"), kept: "endless.json",
      "cannot read jobs/endless.json: it is a symbolic link; copy the file it points to"),
    BadFile(
      name: [0xff, 0xfe] + Array(".json".utf8), .bytes(Array(good.utf8)), kept: #"\xff\xfe.json"#,
      #"cannot take jobs/\xff\xfe.json: its name is not UTF-8; rename it"#),
    BadFile(
      name: Array("new\nline.json".utf8), .bytes(Array(good.utf8)), kept: #"new\x0aline.json"#,
      #"cannot take jobs/new\x0aline.json: its name has control characters; rename it"#),
    BadFile(
      name: Array(longName.utf8), .bytes(Array(good.utf8)), kept: longName.prefix(60) + "…",
      "cannot take jobs/\(longName.prefix(60))…: its name has 255 bytes, and a job file's may have "
        + "200; rename it"),
    BadFile(
      name: Array(wideName.utf8), .bytes(Array(good.utf8)), kept: String(wideName.prefix(8)),
      "cannot take jobs/\(wideName)…: its name has 255 bytes, and a job file's may have 200; rename it"
    ),
  ]

  private static let longName = String(repeating: "n", count: 250) + ".json"
  /// Few characters of many bytes each.
  private static let wideName = String(repeating: "👨‍👩‍👧‍👦", count: 10) + ".json"

  /// What may become a job when more bytes, or another name, come; without their patience's end.
  static let incomplete = [
    BadFile("empty.json", "", "line 1, column 1: the text is empty"),
    BadFile("empty.safetensors", "", "byte 0: the file is empty"),
    BadFile(
      "cut.json", String(good.prefix(100)),
      "line 1, column 101: ends before the document is complete"
    ),
    BadFile(
      "cut-length.safetensors", Array(safetensors().prefix(5)),
      "byte 5: the file ends before its header's length does"),
    BadFile(
      "cut-header.safetensors", Array(safetensors().prefix(50)),
      "byte 50: the file ends before its header of \(safetensors().count - 40) bytes does"),
    BadFile(
      "cut-data.safetensors", safetensors(bytes: 31),
      "byte \(safetensors(bytes: 31).count): the file ends before its tensors do: they take 32 bytes, "
        + "there are 31"),
    BadFile(
      name: Array("job.txt".utf8), .bytes(Array(good.utf8)), kept: "job.txt",
      "cannot take jobs/job.txt: a job file's name ends in .json or .safetensors"),
    BadFile(
      name: Array("hard.json".utf8), .hardLink, kept: "hard.json",
      "cannot take jobs/hard.json: it has 2 hard links; drop a copy"),
  ]

  /// Everything that is refused as soon as it is seen.
  static let wrong = noJSON + unknown + misshapen + wrongSafetensors + references + noFiles
}
