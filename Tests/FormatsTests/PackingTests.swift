import Formats
import Glibc
import Jacobians
import Testing

struct PackingTests {
  /// Packs a job and examines the packed file.
  private static func pack(
    _ job: JobFile, priority: Int? = nil, in folder: TemporaryFolder
  ) throws -> JobFile {
    let path = folder.path + "/packed.safetensors"
    let packing = try JobPacking(job, priority: priority)
    let descriptor = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL)
    try packing.write(to: descriptor)
    #expect(try descriptor.size() == packing.byteCount)
    return try JobFile(examining: path, references: .refused)
  }

  private static func allNumbers(_ job: JobFile) throws -> [[Double]] {
    let problem = try job.problem(Double.self)
    return problem.network.weights.map { numbers($0) }
      + problem.network.biases.map { $0.map { numbers($0) } ?? [] } + [numbers(problem.inputs)]
      + [problem.targets.map { numbers($0) } ?? []]
  }

  @Test(arguments: ["references.json", "job.safetensors"])
  func `a packed job is the same job in one file`(name: String) throws {
    let job = try JobFile(examining: Fixture.path(name), references: .allowed)
    #expect(job.hasReferences == (name == "references.json"))
    let folder = try TemporaryFolder()
    let packed = try PackingTests.pack(job, in: folder)
    #expect(!packed.hasReferences)
    #expect(packed.document.network == job.document.network)
    #expect(packed.document.batch == job.document.batch)
    #expect(packed.document.dtype == job.document.dtype)
    #expect(packed.document.gradients == job.document.gradients)
    #expect(packed.document.priority == 7 && packed.document.verify)
    #expect(try PackingTests.allNumbers(packed) == PackingTests.allNumbers(job))
  }

  @Test func `tensors have fixed names and an order that keeps them aligned`() throws {
    let job = try JobFile(examining: Fixture.path("references.json"), references: .allowed)
    let folder = try TemporaryFolder()
    _ = try PackingTests.pack(job, in: folder)
    let file = try SafetensorsFile(examining: folder.path + "/packed.safetensors")
    let tensors = file.header.tensors.sorted {
      $0.value.range.lowerBound < $1.value.range.lowerBound
    }
    #expect(tensors.map(\.key) == ["W1", "W2", "b1", "inputs", "targets"])
    #expect(tensors.map(\.value.dtype) == ["F64", "F64", "F32", "F32", "F32"])
  }

  @Test func `every option and another priority are packed`() throws {
    let text = """
      {"version": 1, "network": {"type": "feed-forward", "layers": [
        {"weights": [[1, NaN]], "activation": {"name": "softplus", "beta": 1e-5, "threshold": 1e22}},
        {"weights": [[1]], "biases": [1e-320], "activation": {"name": "hard-tanh", "minimum": -0.1}}]},
       "inputs": [1, Infinity], "dtype": "float32", "time_limit": 0.1,
       "gradients": [{"of": "a\\n\\"b\\u0001é", "t": "x", "l": ["y"], "i": [1, -2], "n": 3, "f": false}]}
      """
    let job = try JobFile(examining: Array(text.utf8), path: "a.json")
    let folder = try TemporaryFolder()
    let packed = try PackingTests.pack(job, priority: -5, in: folder)
    #expect(packed.document.network == job.document.network)
    #expect(packed.document.gradients == job.document.gradients)
    #expect(packed.document.priority == -5 && packed.document.dtype == .float32)
    #expect(packed.document.timeLimit == 0.1)
    let (a, b) = (try PackingTests.allNumbers(packed), try PackingTests.allNumbers(job))
    #expect(a.map { $0.map(\.bitPattern) } == b.map { $0.map(\.bitPattern) })
  }

  @Test func `an array longer than a piece is packed whole`() throws {
    let columns = 70_001
    let row = (0..<columns).map { "\($0)" }.joined(separator: ",")
    let text = Sample.job(
      layers: #"[{"weights": [[\#(row)]], "activation": "tanh"}]"#, inputs: "[\(row)]")
    let job = try JobFile(examining: Array(text.utf8), path: "a.json")
    let folder = try TemporaryFolder()
    let packed = try PackingTests.pack(job, in: folder)
    #expect(try numbers(packed.problem(Double.self).inputs) == (0..<columns).map(Double.init))
  }

  private static let bad: [(source: String, sentence: String)] = [
    (
      #"{"file": "x.txt"}"#,
      #""x.txt": its ending names no format for arrays; allowed: .npy, .npz, .safetensors"#
    ),
    (#"{"file": "no.npy"}"#, #""no.npy": No such file or directory"#),
    (#"{"file": ""}"#, #"file: "" is no path"#),
    (
      #"{"file": "stored.npz"}"#,
      #""stored.npz": the file holds named arrays; add "tensor" with one of these: fortran, half, w"#
    ),
    (
      #"{"file": "plain.safetensors"}"#,
      #""plain.safetensors": the file holds named arrays; add "tensor" with one of these: fc1.bias, fc1.weight, t, unused, x"#
    ),
    (
      #"{"file": "plain.safetensors", "tensor": "unused"}"#,
      #""plain.safetensors": tensor "unused" is of type "I32"; supported are F64, F32, F16 and BF16"#
    ),
    (
      #"{"file": "f8-big.npy", "tensor": "x"}"#,
      #""f8-big.npy": a .npy file holds one array without a name; leave "tensor" out"#
    ),
    (
      #"{"file": "complex.npy"}"#,
      #""complex.npy": byte 10: numbers of type "<c16" are not supported; supported are f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 and bool, in either byte order"#
    ),
    (#"{"file": "empty.npy"}"#, "the shape (0, 3) has no numbers"),
  ]

  @Test(arguments: bad)
  func `a file that does not give the array is refused where it is named`(
    source: String, sentence: String
  ) throws {
    // A document in memory is in the folder of its path.
    let path = Fixture.path("a.json")
    let error = failure { () throws(FormatError) in
      _ = try JobFile(
        examining: Array(Sample.job(inputs: source).utf8), path: path, references: .allowed)
    }
    let place = sentence.hasPrefix("file: ") ? "inputs." : "inputs: "
    #expect(error?.sentence == "cannot read \(path): \(place)" + sentence)
  }
}
