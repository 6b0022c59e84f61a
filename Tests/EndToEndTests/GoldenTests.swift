import Glibc
import Testing

extension EndToEnd {
  @Suite struct `The reference cases` {
    @Test(.timeLimit(.minutes(2)), arguments: ReferenceCase.feedForward)
    func `come out right through the daemon`(reference: ReferenceCase) async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      for dtype in ["float64", "float32"] {
        try queue.drop(
          try reference.document(gradients: GoldenComparison.gradients, dtype: dtype),
          as: "\(dtype).json")
        try queue.drop(
          try reference.document(gradients: GoldenComparison.gradientsPerSample, dtype: dtype),
          as: "\(dtype)-per-sample.json")
      }
      try await queue.wait(forCount: 4)
      for dtype in ["float64", "float32"] {
        try GoldenComparison.check(
          try queue.result(dtype), perSample: try queue.result("\(dtype)-per-sample"),
          of: reference, dtype: dtype)
      }
      try await daemon.end(SIGTERM)
    }
  }
}
