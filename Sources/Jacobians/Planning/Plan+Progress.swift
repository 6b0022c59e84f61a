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
  /// For each array the numbers that are in the sink for good once so much is computed: a range from 0 on.
  ///
  /// None of a sum over sequences, which is written after the last one.
  package func finishedNumbers(_ computed: ComputedBlocks) -> [[Range<Int>]] {
    // A kernel is computed after the last sequence.
    let isSum = sumArrays.union(kernels.map(\.firstArray))
    func each(_ array: Int) -> Int { arrays[array].count / max(1, shape.batch) }
    var numbers = arrays.indices.map { isSum.contains($0) ? 0 : each($0) * computed.blocks }
    if let begun = computed.begun {
      let length = shape.length(computed.blocks)
      for (number, part) in parts.enumerated() where number <= begun.part {
        let finished = part.finishedNumbers(
          begun.units, length: length, steps: shape.steps, each: each)
        for (array, count) in finished where !isSum.contains(array) {
          numbers[array] += number < begun.part ? each(array) : count
        }
      }
    }
    return numbers.map { [0..<$0] }
  }

  /// Whether a computation of this plan can have come so far, and done anything.
  package func isPossible(_ computed: ComputedBlocks) -> Bool {
    guard let begun = computed.begun else {
      return (1...max(1, shape.batch)).contains(computed.blocks)
    }
    guard (0..<shape.batch).contains(computed.blocks), parts.indices.contains(begun.part)
    else { return false }
    let part = parts[begun.part]
    return part.goesOnWithin && begun.stateBytes == part.stateCount * dtype.byteCount
      && begun.units > 0 && begun.units < part.blocks(length: shape.length(computed.blocks))
  }

  /// How many of `blockCount` blocks are done once so much is computed.
  package func blockCount(of computed: ComputedBlocks) -> Int {
    func blocks(_ sequence: Int, _ parts: some Sequence<RecurrentPart>) -> Int {
      parts.reduce(0) { $0 + $1.blocks(length: shape.length(sequence)) }
    }
    let done = (0..<computed.blocks).reduce(0) { $0 + blocks($1, parts) }
    guard let begun = computed.begun else { return done }
    return done + blocks(computed.blocks, parts[..<begun.part]) + begun.units
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
}
