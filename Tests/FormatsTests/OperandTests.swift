import Formats
import Foundation
import Glibc
import Jacobians
import Testing

/// Arrays among the options of gradients: vectors, and other inputs.
@Suite struct OperandTests {
  @Test func `arrays among the options of gradients are packed with the others`() throws {
    let text = """
      {"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1, 2]], "activation": "tanh"}]},
       "inputs": [[1, 2]], "gradients": [
         "outputs", {"of": "jvp", "vectors": {"W1": [[[3, 4]], [[5, 6]]]}},
         {"of": "vjp", "vectors": [7]}, {"of": "neural-tangent-kernel", "other_inputs": {"file": "fortran.npy"}}]}
      """
    let folder = try TemporaryFolder()
    let x = try Data(contentsOf: URL(filePath: Fixture.path("fortran.npy")))
    try x.write(to: URL(filePath: folder.path + "/fortran.npy"))
    try Data(text.utf8).write(to: URL(filePath: folder.path + "/job.json"))
    let job = try JobFile(examining: folder.path + "/job.json", references: .allowed)
    let path = folder.path + "/packed.safetensors"
    let packing = try JobPacking(job)
    let descriptor = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL)
    try packing.write(to: descriptor)
    let packed = try JobFile(examining: path, references: .refused)
    #expect(packed.document.gradients == job.document.gradients)
    let options = packed.document.gradients.map(\.options)
    #expect(options[1]["vectors"] == .parameterArrays(["W1": [2, 1, 2]]))
    #expect(options[2]["vectors"] == .array(shape: [1]))
    let problem = try packed.problem(Double.self)
    let original = try job.problem(Double.self)
    let places = [
      "gradients[1].vectors.W1", "gradients[2].vectors", "gradients[3].other_inputs",
    ]
    #expect(problem.operands.keys.sorted() == places)
    for place in places {
      let own = try #require(problem.operands[place])
      let other = try #require(original.operands[place])
      #expect(numbers(own) == numbers(other))
    }
    #expect(numbers(try #require(problem.operands[places[0]])) == [3, 4, 5, 6])
  }

  private static let bad: [(String, String)] = [
    (#""vectors": {"tensor": "v"}"#, "gradients[0].vectors: a JSON file holds no tensors"),
    (#""vectors": {"W1": []}"#, "gradients[0].vectors.W1: the shape (0) has no numbers"),
    (#""vectors": {}"#, "gradients[0].vectors: the object is empty"),
    (
      #""vectors": {"W1": "x"}"#,
      "gradients[0].vectors.W1: a text stands where an array of numbers"
    ),
    (
      #""vectors": {"file": "v.npy"}"#,
      "gradients[0].vectors: a dropped job may not name another file"
    ),
    (#""other_inputs": true"#, "gradients[0].other_inputs: true stands where an array of numbers"),
  ]

  @Test(arguments: bad) func `a bad array among a gradient's options is told with its place`(
    option: String, beginning: String
  ) throws {
    let text = """
      {"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1, 2]], "activation": "tanh"}]},
       "inputs": [[1, 2]], "gradients": [{"of": "jvp", \(option)}]}
      """
    let error = #expect(throws: FormatError.self) {
      try JobFile(examining: Array(text.utf8), path: "a.json")
    }
    let sentence = "\(error?.place ?? ""): \(error?.reason ?? "")"
    #expect(sentence.hasPrefix(beginning), "\(sentence)")
  }
}
