import Formats
import Glibc
import Jacobians
import Testing

struct SafetensorsTests {
  @Test func `a job that the safetensors library wrote is read`() throws {
    let job = try JobFile(examining: Fixture.path("job.safetensors"), references: .refused)
    #expect(job.kind == .safetensors)
    #expect(job.document.batch == 5 && job.document.priority == 7 && job.document.verify)
    let problem = try job.problem(Double.self)
    #expect(numbers(problem.network.weights[0]) == (0..<12).map(Double.init))
    #expect(try numbers(#require(problem.network.biases[0])) == [0, 1, 2, 3])
    #expect(numbers(problem.network.weights[1]) == [0.5, -1, 2, 4])
    #expect(numbers(problem.inputs) == (0..<15).map(Double.init))
    #expect(try numbers(#require(problem.targets)) == [0, 1, 2, 3, 4])
    // Narrower and wider ones become single precision.
    let single = try job.problem(Float.self)
    #expect(numbers(single.inputs) == (0..<15).map(Float.init))
    #expect(try numbers(#require(single.targets)) == [0, 1, 2, 3, 4])
  }

  @Test func `numbers of the job's type are borrowed from the mapped file`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.safetensors", Sample.safetensors)
    let job = try JobFile(examining: path, references: .refused)
    let problem = try job.problem(Double.self)
    // A write into the file shows through a private map as long as the page was not written here.
    let change = Sample.bytes((-1.0).bitPattern)
    let descriptor = try Descriptor(opening: path, O_WRONLY)
    unsafe try descriptor.write(change.span.bytes, at: Sample.safetensors.count - 8)
    #expect(numbers(problem.inputs) == [5, 6, 7, -1])
  }

  @Test func `a file that changed after it was examined is refused`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.safetensors", Sample.safetensors)
    let job = try JobFile(examining: path, references: .refused)
    unsafe truncate(path, 100)
    let error = failure { () throws(FormatError) in _ = try job.problem(Double.self) }
    #expect(error?.reason == "it changed after it was examined")
  }

  @Test func `an open descriptor is examined without being moved or closed`() throws {
    let descriptor = try Descriptor(opening: Fixture.path("job.safetensors"), O_RDONLY)
    let job = try JobFile(examining: descriptor, references: .refused)
    #expect(lseek(descriptor.number, 0, SEEK_CUR) == 0)
    #expect(try numbers(job.problem(Double.self).inputs).count == 15)
  }

  @Test func `every number type is widened and a misplaced tensor is copied`() throws {
    // 1.5, −2 and a subnormal in each type; the first tensor shifts all others off their alignment.
    let header = """
      {"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
      "F16":{"dtype":"F16","shape":[3],"data_offsets":[1,7]},\
      "BF16":{"dtype":"BF16","shape":[3],"data_offsets":[7,13]},\
      "F32":{"dtype":"F32","shape":[3],"data_offsets":[13,25]},\
      "F64":{"dtype":"F64","shape":[3],"data_offsets":[25,49]}}
      """
    var data: [UInt8] = [9]
    for bits: UInt16 in [0x3E00, 0xC000, 0x0001, 0x3FC0, 0xC000, 0x0001] {
      data += Sample.bytes(bits)
    }
    for float: Float in [1.5, -2, 0x1p-149] { data += Sample.bytes(float.bitPattern) }
    for double in [1.5, -2, 0x1p-1074] { data += Sample.bytes(double.bitPattern) }
    let file = try SafetensorsFile(
      examining: Sample.safetensors(header: header, data: data), path: "m.safetensors")
    for (name, last) in [
      ("F16", 0x1p-24), ("BF16", 0x1p-133), ("F32", 0x1p-149), ("F64", 0x1p-1074),
    ] {
      let array = try file.array(named: name)
      #expect(try numbers(array.values(Double.self)) == [1.5, -2, last], "\(name)")
      #expect(try numbers(array.values(Float.self)) == [1.5, -2, Float(last)], "\(name)")
    }
  }

  private static let bad: [(header: String, data: Int, sentence: String)] = [
    ("[]", 0, "the header: it is not a JSON object"),
    (" {}", 0, "the header: it is not a JSON object"),
    ("{} x", 0, #"the header, line 1, column 4: "x" stands after the document"#),
    ("{", 0, "the header, line 1, column 2: ends before the document is complete"),
    (
      "{\"\0\":1}", 0,
      "the header, line 1, column 3: byte 0x00 stands bare in a text; escape it with a backslash"
    ),
    (#"{"__metadata__":{"a":1}}"#, 0, "__metadata__: it is not an object of texts"),
    (#"{"a":1}"#, 0, #"tensor "a": it is not an object"#),
    (#"{"a":{"shape":[],"data_offsets":[0,8]}}"#, 8, #"tensor "a": it has no dtype"#),
    (
      #"{"a":{"dtype":"F64","shape":[1.5],"data_offsets":[0,8]}}"#, 8,
      #"tensor "a": its shape is not a list of whole numbers"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[NaN],"data_offsets":[0,8]}}"#, 8,
      #"tensor "a": its shape is not a list of whole numbers"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}"#, 8,
      #"tensor "a": its shape is not a list of whole numbers"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}}"#, 8,
      #"tensor "a": its data_offsets are not two whole numbers in order"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}"#, 8,
      #"tensor "a": the shape (2) of F64 takes 16 bytes, data_offsets give 8"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,8]}}"#,
      8,
      #"tensor "a": its shape is not a list of whole numbers"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[9007199254740992,9007199254740992],"data_offsets":[0,8]}}"#, 8,
      #"tensor "a": the shape (9007199254740992, 9007199254740992) of F64 takes too many or no whole bytes"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8],"more":1}}"#, 8,
      #"tensor "a": "more" is not known, or not what it should be"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#, 16,
      #"tensor "a": its bytes begin at 8, those before end at 0; tensors follow one another without a hole or an overlap"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"b":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#,
      16,
      #"tensor "b": its bytes begin at 8, those before end at 16; tensors follow one another without a hole or an overlap"#
    ),
    (
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, 9,
      "byte 70: the last tensor ends here, 1 byte before the file does"
    ),
    (
      #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#,
      16,
      #"the header, line 1, column 55: the key "a" stands twice in one object, first in line 1, column 2"#
    ),
    (
      "{}", 0,
      #"__metadata__: the key "nnjob" is missing; save the file with metadata={"nnjob": json.dumps(document)}"#
    ),
    (
      #"{"__metadata__":{"nnjob":"{\"version\": 1"}}"#, 0,
      "__metadata__.nnjob, line 1, column 14: ends before the document is complete"
    ),
    (
      #"{"__metadata__":{"nnjob":"{\"version\": 3}"}}"#, 0,
      #"version: version 3 is not known; write "version": 1"#
    ),
  ]

  @Test(arguments: bad)
  func `a lying header is refused`(header: String, data: Int, sentence: String) {
    let bytes = Sample.safetensors(header: header, data: [UInt8](repeating: 0, count: data))
    let error = failure { () throws(FormatError) in
      _ = try JobFile(examining: bytes, path: "a.safetensors")
    }
    #expect(error?.sentence == "cannot read a.safetensors: " + sentence)
    #expect(error?.isIncomplete == false)
  }

  @Test(arguments: [
    (1 << 63 as UInt64, "9223372036854775808"), (.max, "18446744073709551615"),
    (100_000_001, "100000001"),
  ])
  func `a header that claims too many bytes is refused at once`(length: UInt64, words: String) {
    let bytes = Sample.bytes(length) + Array("{}".utf8)
    let error = failure { () throws(FormatError) in
      _ = try JobFile(examining: bytes, path: "a.safetensors")
    }
    #expect(
      error?.sentence
        == "cannot read a.safetensors: byte 0: the header claims \(words) bytes; at most 100000000 are allowed; "
        + "safetensors.numpy.save_file writes such a file")
    #expect(error?.isIncomplete == false)
  }

  @Test func `a file shorter than its header says is incomplete`() {
    let sentences = [
      0: "byte 0: the file is empty",
      7: "byte 7: the file ends before its header's length does",
      20: "byte 20: the file ends before its header of 352 bytes does",
      Sample.safetensors.count - 1:
        "byte 407: the file ends before its tensors do: they take 48 bytes, there are 47",
    ]
    for (count, sentence) in sentences {
      let error = failure { () throws(FormatError) in
        _ = try JobFile(examining: Array(Sample.safetensors[..<count]), path: "a.safetensors")
      }
      #expect(error?.sentence == "cannot read a.safetensors: " + sentence)
    }
    // A header that is wrong already gets no better with more bytes.
    let wrong = Array(Sample.safetensors(header: "{'a': 1}").dropLast())
    let error = failure { () throws(FormatError) in
      _ = try JobFile(examining: wrong, path: "a.safetensors")
    }
    #expect(error?.isIncomplete == false)
  }

  @Test func `tensors that are missing or of other types are refused where they are named`() {
    let tensors: [(name: String, shape: [Int], numbers: [Double])] = [("fc1.weight", [1, 1], [1])]
    func sentence(_ layers: String, _ bytes: (String) -> [UInt8]) -> String? {
      failure { () throws(FormatError) in
        _ = try JobFile(
          examining: bytes(Sample.job(layers: layers, inputs: "[1]")), path: "a.safetensors")
      }?.sentence
    }
    #expect(
      sentence(#"[{"weights": {"tensor": "fc1.wieght"}, "activation": "tanh"}]"#) {
        Sample.safetensors(document: $0, tensors: tensors)
      }
        == #"cannot read a.safetensors: network.layers[0].weights: there is no tensor "fc1.wieght"; "#
        + #"did you mean "fc1.weight"? allowed: fc1.weight"#)
    #expect(
      sentence(#"[{"weights": {"tensor": "n"}, "activation": "tanh"}]"#) { document in
        let metadata = JSONText.object([("nnjob", JSONText.text(document))])
        return Sample.safetensors(
          header:
            #"{"__metadata__":\#(metadata),"n":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]}}"#,
          data: [UInt8](repeating: 0, count: 8))
      } == #"cannot read a.safetensors: network.layers[0].weights: tensor "n" is of type "I64"; "#
        + "supported are F64, F32, F16 and BF16")
  }
}
