/// Sums over steps that a pass leaves in its workspace, array after array, and where they are written.
struct WrittenSums: Sendable {
  /// How many numbers each array has, of one sequence or of all.
  private let sizes: [Int]
  /// Whether every sequence has its own.
  let isPerSample: Bool
  /// Where the pass leaves them.
  let region: Region
  /// The place of the first array in the plan.
  let firstArray: Int

  /// An array for each parameter, with the numbers of `vectors` vectors.
  init(
    _ parameters: [Parameter], of network: NetworkShape, vectors: Int, isPerSample: Bool,
    region: Region, firstArray: Int
  ) {
    sizes = parameters.map { vectors * network.count(of: $0) }
    self.isPerSample = isPerSample
    self.region = region
    self.firstArray = firstArray
  }

  /// How many sums there are.
  var count: Int { region.count }
  /// The arrays in the plan.
  var arrays: Range<Int> { firstArray..<firstArray + sizes.count }

  /// Writes those of one sequence, or those of all as those of sequence 0.
  func write<T: Scalar>(_ numbers: Span<T>, sequence: Int, to sink: any ResultSink) throws {
    let writer = ResultWriter(sink: sink, firstArray: firstArray)
    var start = 0
    for (array, size) in sizes.enumerated() {
      try writer.write(
        numbers.extracting(start..<start + size), array: array, at: sequence * size)
      start += size
    }
  }
}
