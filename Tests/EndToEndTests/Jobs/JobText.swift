import TestSupport

/// A job document that a seed determines, as text, and the safetensors file of it.
struct JobText {
  /// n_0…n_L.
  var widths = [4, 16, 2]
  /// φ of every layer but the last, which has none.
  var activation = "tanh"
  /// B.
  var samples = 1
  /// The gradients, as they stand in the document.
  var gradients = #"["outputs", "parameter-jacobian"]"#
  /// Whether the file of `sparse` has targets.
  var hasTargets = true
  /// More keys of the document, each with its comma before it.
  var more = ""
  /// What determines the numbers.
  var seed: UInt64 = 1

  /// Numbers as nested JSON.
  static func rows(_ numbers: [Double], _ columns: Int) -> String {
    let rows = stride(from: 0, to: numbers.count, by: columns).map { start in
      "[" + numbers[start..<start + columns].map { "\($0)" }.joined(separator: ", ") + "]"
    }
    return "[" + rows.joined(separator: ", ") + "]"
  }

  /// The document with its numbers in it.
  var json: String {
    var generator = SeededGenerator(seed: seed)
    var layers: [String] = []
    for k in 1..<widths.count {
      let (n, m) = (widths[k - 1], widths[k])
      let scale = 2 / Double(n).squareRoot()
      let weights = JobText.rows(generator.numbers(n * m, scale: scale), n)
      let biases = generator.numbers(m, scale: 0.5)
      layers.append(
        #"{"weights": \#(weights), "biases": \#(biases), "activation": "\#(activation(k))"}"#)
    }
    let inputs = JobText.rows(generator.numbers(samples * widths[0]), widths[0])
    let targets = JobText.rows(generator.numbers(samples * outputs), outputs)
    return document(layers: layers, inputs: inputs, targets: targets)
  }

  /// The document in a safetensors file, its numbers 0.0, most of which take no room on disk.
  ///
  /// Gives the bytes up to the first number and how many bytes follow.
  var sparse: (head: [UInt8], zeros: Int) {
    var tensors = SafetensorsText()
    var layers: [String] = []
    for k in 1..<widths.count {
      tensors.add("W\(k)", [widths[k], widths[k - 1]], bytesPerNumber: 2, "F16")
      layers.append(
        #"{"weights": {"tensor": "W\#(k)"}, "activation": "\#(activation(k))"}"#)
    }
    tensors.add("x", [samples, widths[0]], bytesPerNumber: 2, "F16")
    if hasTargets { tensors.add("t", [samples, outputs], bytesPerNumber: 2, "F16") }
    tensors.metadata = document(
      layers: layers, inputs: #"{"tensor": "x"}"#,
      targets: hasTargets ? #"{"tensor": "t"}"# : nil)
    return (tensors.head, tensors.byteCount)
  }

  private var outputs: Int { widths[widths.count - 1] }

  private func activation(_ layer: Int) -> String {
    layer == widths.count - 1 ? "identity" : activation
  }

  private func document(layers: [String], inputs: String, targets: String?) -> String {
    #"{"version": 1, "network": {"type": "feed-forward", "layers": ["#
      + layers.joined(separator: ", ") + #"]}, "inputs": \#(inputs), "#
      + (targets.map { #""targets": \#($0), "# } ?? "")
      + #""gradients": \#(gradients)\#(more)}"#
  }
}

/// The head of a safetensors file, written out by hand so that it can also be wrong.
struct SafetensorsText {
  /// The document under `nnjob`; nil leaves it out.
  var metadata: String?
  /// The tensors' entries.
  var entries: [String] = []
  /// How many bytes the tensors take.
  private(set) var byteCount = 0

  /// Adds a tensor behind the others.
  mutating func add(
    _ name: String, _ shape: [Int], bytesPerNumber: Int = 8, _ dtype: String = "F64"
  ) {
    let end = byteCount + shape.reduce(bytesPerNumber, *)
    entries.append(
      #""\#(name)": {"dtype": "\#(dtype)", "shape": \#(shape), "data_offsets": [\#(byteCount), \#(end)]}"#
    )
    byteCount = end
  }

  /// The header's length and the header.
  var head: [UInt8] {
    var all = entries
    if let metadata {
      let text = metadata.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      all.insert(#""__metadata__": {"nnjob": "\#(text)"}"#, at: 0)
    }
    let header = Array(("{" + all.joined(separator: ", ") + "}").utf8)
    return SafetensorsText.length(UInt64(header.count)) + header
  }

  /// The eight bytes of a header's length.
  static func length(_ count: UInt64) -> [UInt8] { (0..<8).map { UInt8(count >> (8 * $0) & 255) } }
}
