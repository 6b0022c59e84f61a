package import Jacobians

/// Watches one attempt of a job.
package protocol AttemptMonitor: ComputationMonitor {
  /// Tells that an earlier attempt's first blocks need not be computed again.
  func resumed(blocks: Int, of total: Int)
  /// Asked once it is cancelled: whether the job goes back into the queue, so that what is done is to be kept.
  var isGivenBack: Bool { get }
}

extension AttemptMonitor {
  package func resumed(blocks: Int, of total: Int) {}
  package var isGivenBack: Bool { false }
}
