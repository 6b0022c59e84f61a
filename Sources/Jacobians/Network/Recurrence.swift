/// How a network is fed back: z(n) = f(x(n), r(n−1)), where r is the last `units` outputs of f and inputs of f.
package struct Recurrence: Hashable, Sendable {
  /// R.
  package let units: Int

  /// Feeds back the last `units` outputs.
  package init(units: Int) { self.units = units }
}

extension NetworkShape {
  /// |x|, the inputs of f that come from outside.
  package func outerInputs(_ recurrence: Recurrence) -> Int { inputs - recurrence.units }
  /// |y|, the outputs of f that are not fed back.
  package func outerOutputs(_ recurrence: Recurrence) -> Int { outputs - recurrence.units }
}
