extension Plan {
  /// For each array how many numbers, from the first on, are in the sink for good once so many blocks of samples are done.
  ///
  /// None of a sum over samples, which is written after the last block.
  package func finishedNumbers(blocks: Int) -> [Int] {
    let samples = min(blocks * blockSamples, batch)
    var counts = [Int](repeating: 0, count: arrays.count)
    for (gradient, first) in zip(gradients, firstArrays) where !gradient.isSummed {
      for array in first..<first + gradient.arrays(batch: batch).count where batch > 0 {
        counts[array] = arrays[array].count / batch * samples
      }
    }
    return counts
  }

  /// Bytes of all sums over samples.
  package var sumBytes: Int { sumCounts.joined().reduce(0, +) * dtype.byteCount }
}

extension RecurrentPlan {
  /// For each array how many numbers, from the first on, are in the sink for good once so many sequences are done.
  ///
  /// None of a sum over sequences, which is written after the last one.
  package func finishedNumbers(sequences: Int) -> [Int] {
    let isSum = sumArrays
    return arrays.enumerated().map { number, array in
      isSum.contains(number) || shape.batch == 0 ? 0 : array.count / shape.batch * sequences
    }
  }

  /// The arrays that are sums over sequences.
  private var sumArrays: Set<Int> {
    var found: Set<Int> = []
    for part in parts where part.sumCount > 0 {
      if case .loss(let layout, let first) = part {
        found.formUnion(first..<first + layout.parameters.count)
      }
    }
    return found
  }

  /// Bytes of all sums over sequences.
  package var sumBytes: Int { parts.reduce(0) { $0 + $1.sumCount } * dtype.byteCount }

  /// How many of `blockCount` blocks the first sequences have.
  package func blockCount(ofSequences count: Int) -> Int {
    (0..<count).reduce(0) { sum, sequence in
      let length = shape.length(sequence)
      return parts.reduce(sum) { $0 + $1.blocks(length: length) }
    }
  }
}
