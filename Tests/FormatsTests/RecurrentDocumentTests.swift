import Formats
import Jacobians
import Testing

@Suite struct RecurrentDocumentTests {
  /// A network of 2 + 3 inputs and 1 + 3 outputs, 2 sequences of 4 steps; `extra` and `network` add keys.
  private static func text(
    network: String = "\"recurrent_units\": 3", inputs: String = zeros(2, 4, 2),
    extra: String = ""
  ) -> String {
    """
    {"version": 1, "network": {"type": "recurrent", \(network), "layers": [{"weights": \(zeros(4, 5)), \
    "activation": "tanh"}]}, "inputs": \(inputs), "gradients": ["outputs"]\(extra)}
    """
  }

  private static func zeros(_ shape: Int...) -> String {
    shape.reversed().reduce("0") { text, count in
      "[" + Array(repeating: text, count: count).joined(separator: ", ") + "]"
    }
  }

  private static func examine(_ text: String) throws(FormatError) -> JobFile {
    try JobFile(examining: Array(text.utf8), path: "jobs/a.json")
  }

  @Test func `a document says what is fed back and how long the sequences are`() throws {
    let job = try Self.examine(
      Self.text(
        network: "\"recurrent_units\": 3, \"initial_state\": [1, 2, 3]",
        extra:
          ", \"targets\": \(Self.zeros(2, 4, 1)), \"lengths\": [4, 2], \"strategy\": \"adjoint\""))
    let recurrent = try #require(job.document.recurrent)
    #expect(recurrent.recurrence.units == 3)
    #expect(recurrent.shape == SequenceShape(batch: 2, steps: 4, lengths: [4, 2]))
    #expect(recurrent.strategy == .adjoint)
    let problem = try job.recurrentProblem(Double.self)
    // One r(0) serves all sequences.
    let initial = try #require(problem.initialState)
    #expect(initial.span.indices.map { initial.span[$0] } == [1, 2, 3, 1, 2, 3])
  }

  @Test func `a missing batch axis counts as one sequence`() throws {
    let job = try Self.examine(Self.text(inputs: Self.zeros(4, 2)))
    #expect(job.document.recurrent?.shape == SequenceShape(batch: 1, steps: 4))
  }

  @Test func `a packed job is the same job`() throws {
    let job = try Self.examine(
      Self.text(
        network: "\"recurrent_units\": 3, \"initial_state\": [1, 2, 3]",
        extra: ", \"lengths\": [4, 2], \"strategy\": \"blocked\""))
    let packing = try JobPacking(job)
    #expect(packing.byteCount > 0)
    #expect(job.document.arrays.named.map(\.name) == ["W1", "inputs", "initial_state"])
  }

  private static let bad: [(String, String)] = [
    (
      text(network: "\"initial_state\": [0]"),
      "network: the key \"recurrent_units\" is missing; it says how many of the last outputs are fed back"
    ),
    (
      text(network: "\"recurrent_units\": 0"),
      "network.recurrent_units: 0 units cannot be fed back; at least 1"
    ),
    (
      text(network: "\"recurrent_units\": 4"),
      "network.recurrent_units: 4 units cannot be fed back through 5 inputs and 4 outputs: the layers "
        + "take (x, r) and give (y, r); at most 3"
    ),
    (
      text(inputs: zeros(2, 4, 5)),
      "inputs: the shape (2, 4, 5) is not (B, T, 2) or (T, 2): 2 is what the first layer takes beside the "
        + "recurrent units"
    ),
    (
      text(extra: ", \"targets\": \(zeros(2, 3, 1))"),
      "targets: the shape (2, 3, 1) is not (2, 4, 1): the inputs have the shape (2, 4, 2)"
    ),
    (
      text(network: "\"recurrent_units\": 3, \"initial_state\": [1, 2]"),
      "network.initial_state: the shape (2) is neither (3) nor (2, 3): there are 3 recurrent units and 2 "
        + "sequences"
    ),
    (text(extra: ", \"lengths\": [4]"), "lengths: there are 1 length for 2 sequences"),
    (
      text(extra: ", \"lengths\": [4, 5]"), "lengths: sequence 1 has the length 5; allowed: 1 to 4"
    ),
    (
      text(extra: ", \"lengths\": \"all\""),
      "lengths: a text stands where a list of whole numbers, one for each sequence belongs"
    ),
    (
      text(extra: ", \"strategy\": \"adjiont\""),
      "strategy: \"adjiont\" is no strategy; did you mean \"adjoint\"? allowed: forward, adjoint, blocked"
    ),
    (
      """
      {"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": [[1]], "activation": "tanh"}]}, \
      "inputs": [1], "gradients": ["outputs"], "strategy": "adjoint"}
      """,
      "strategy: a feed-forward network has no steps; leave it out, or is the network recurrent?"
    ),
  ]

  @Test(arguments: bad)
  func `what does not fit together is refused with place, reason and remedy`(
    text: String, sentence: String
  ) {
    let error = #expect(throws: FormatError.self) { try Self.examine(text) }
    #expect(error?.sentence == "cannot read jobs/a.json: " + sentence)
  }
}
