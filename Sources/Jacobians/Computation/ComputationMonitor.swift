/// Watches a computation between its blocks; called from its threads.
package protocol ComputationMonitor: Sendable {
  /// Tells that `blocks` of `total` blocks are computed and handed to the sink.
  func finished(blocks: Int, of total: Int)
  /// Asked before each block: whether to stop; the computation then throws `CancellationError`.
  var isCancelled: Bool { get }
}
