/// Sums over steps that a pass leaves in its workspace, array after array, and where they are written.
struct WrittenSums: Sendable {
  /// The arrays in the plan, and how many numbers each has, of one sequence or of all.
  private let sizes: [(array: Int, size: Int)]
  /// Whether every sequence has its own.
  let isPerSample: Bool
  /// Where the pass leaves them.
  let region: Region

  /// An array for each parameter, with the numbers of `vectors` vectors.
  init(
    _ parameters: [Parameter], of network: NetworkShape, vectors: Int, isPerSample: Bool,
    region: Region, firstArray: Int
  ) {
    sizes = parameters.enumerated().map { (firstArray + $0, vectors * network.count(of: $1)) }
    self.isPerSample = isPerSample
    self.region = region
  }

  /// Arrays that are sums over all sequences.
  init(_ sizes: [(array: Int, size: Int)], region: Region) {
    self.sizes = sizes
    isPerSample = false
    self.region = region
  }

  /// How many sums there are.
  var count: Int { region.count }
  /// The arrays in the plan.
  var arrays: [Int] { sizes.map(\.array) }

  /// Writes those of one sequence, or those of all as those of sequence 0.
  func write<T: Scalar>(_ numbers: Span<T>, sequence: Int, to sink: any ResultSink) throws {
    var start = 0
    for (array, size) in sizes {
      try ResultWriter(sink: sink, firstArray: array).write(
        numbers.extracting(start..<start + size), array: 0, at: sequence * size)
      start += size
    }
  }
}
