extension Plan {
  /// For each array the numbers that are in the sink for good once so much is computed: ascending ranges, the first from 0 on.
  ///
  /// None of a sum over samples, which is written at the end.
  package func finishedNumbers(_ computed: ComputedBlocks) -> [[Range<Int>]] {
    let samples = min(computed.blocks * blockSamples, batch)
    var numbers = [[Range<Int>]](repeating: [0..<0], count: arrays.count)
    for (gradient, first) in zip(gradients, firstArrays) where !gradient.isSummed {
      for array in first..<first + gradient.arrays(batch: batch).count where batch > 0 {
        numbers[array] = [0..<arrays[array].count / batch * samples]
      }
    }
    guard let begun = computed.begun else { return numbers }
    for (number, kernel) in kernels.enumerated() where number <= begun.part {
      let array = kernel.firstArray
      numbers[array] = kernel.layout.finishedNumbers(
        rows: number < begun.part ? batch : begun.units, of: batch, count: arrays[array].count,
        form: kernel.gradient.form)
    }
    return numbers
  }

  /// Whether a computation of this plan can have come so far, and done anything.
  package func isPossible(_ computed: ComputedBlocks) -> Bool {
    guard let begun = computed.begun else {
      return (1...max(1, sampleBlocks)).contains(computed.blocks)
    }
    guard computed.blocks == sampleBlocks, kernels.indices.contains(begun.part) else {
      return false
    }
    let samples = kernels[begun.part].layout.tileSamples
    return begun.units == batch || (0..<batch).contains(begun.units) && begun.units % samples == 0
  }

  /// How many of `blockCount` blocks are done once so much is computed.
  package func blockCount(of computed: ComputedBlocks) -> Int {
    guard let begun = computed.begun else { return computed.blocks }
    return kernels[..<begun.part].reduce(computed.blocks) { $0 + $1.layout.unitCount }
      + kernels[begun.part].layout.unitCount(ofRows: begun.units)
  }

  /// Bytes of all sums over samples.
  package var sumBytes: Int { sumCounts.joined().reduce(0, +) * dtype.byteCount }
}

extension RecurrentPlan {
  /// For each array the numbers that are in the sink for good once so much is computed.
  ///
  /// None of a sum over sequences, which is written after the last one.
  package func finishedNumbers(_ computed: ComputedBlocks) -> [[Range<Int>]] {
    // A kernel is computed after the last sequence.
    let isSum = sumArrays.union(kernels.map(\.firstArray))
    return arrays.enumerated().map { number, array in
      [
        0..<(isSum.contains(number) || shape.batch == 0
          ? 0 : array.count / shape.batch * computed.blocks)
      ]
    }
  }

  /// Whether a computation of this plan can have come so far, and done anything.
  package func isPossible(_ computed: ComputedBlocks) -> Bool {
    computed.begun == nil && (1...max(1, shape.batch)).contains(computed.blocks)
  }

  /// How many of `blockCount` blocks are done once so much is computed.
  package func blockCount(of computed: ComputedBlocks) -> Int {
    blockCount(ofSequences: computed.blocks)
  }

  /// The arrays that are sums over sequences.
  private var sumArrays: Set<Int> {
    var found: Set<Int> = []
    for part in parts where part.sumCount > 0 {
      if let written = part.writtenSums { found.formUnion(written.arrays) }
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
