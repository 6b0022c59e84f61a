extension RecurrentProblem {
  /// The beginnings of the first sequences, copied.
  func taking(sequences: Int, steps: Int) -> RecurrentProblem {
    func beginnings(_ values: Values<T>, _ width: Int) -> Values<T> {
      Values(count: sequences * steps * width) { (span: inout MutableSpan<T>) in
        for sequence in 0..<sequences {
          for i in 0..<steps * width {
            span[sequence * steps * width + i] = values.span[sequence * shape.steps * width + i]
          }
        }
      }
    }
    let units = recurrence.units
    return RecurrentProblem(
      network: network, recurrence: recurrence,
      shape: SequenceShape(
        batch: sequences, steps: steps,
        lengths: shape.lengths.map { $0[..<sequences].map { min($0, steps) } }),
      inputs: beginnings(inputs, network.shape.outerInputs(recurrence)),
      initialState: initialState.map { state in
        Values((0..<sequences * units).map { state.span[$0] })
      },
      targets: targets.map { beginnings($0, network.shape.outerOutputs(recurrence)) })
  }
}
