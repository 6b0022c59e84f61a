/// How many sequences a recurrent job has, and how long they are.
package struct SequenceShape: Hashable, Sendable {
  /// B.
  package let batch: Int
  /// T, the length of the longest sequence the arrays have room for.
  package let steps: Int
  /// Each sequence's own length, 1…T; nil when all have length T. Rows of results beyond it are zero.
  package let lengths: [Int]?

  /// Describes the sequences of a job.
  package init(batch: Int, steps: Int, lengths: [Int]? = nil) {
    self.batch = batch
    self.steps = steps
    self.lengths = lengths
  }

  /// The length of one sequence.
  package func length(_ sequence: Int) -> Int { lengths?[sequence] ?? steps }

  /// How many steps all sequences have together.
  package var totalSteps: Int { lengths?.reduce(0, +) ?? batch * steps }

  /// The lengths that sequences have, each once.
  var distinctLengths: [Int] { lengths.map { Array(Set($0)).sorted() } ?? [steps] }

  /// The sum over all sequences of what one of a given length has.
  func total(_ each: (_ length: Int) -> Double) -> Double {
    guard let lengths else { return Double(batch) * each(steps) }
    return lengths.reduce(0) { $0 + each($1) }
  }
}
