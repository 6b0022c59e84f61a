import Glibc
import TestSupport
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

    @Test(.timeLimit(.minutes(2)), arguments: ReferenceCase.feedForward)
    func `come out right through nnjobs run`(reference: ReferenceCase) async throws {
      let folder = try TemporaryFolder()
      for dtype in ["float64", "float32"] {
        for (name, gradients) in [
          ("main", GoldenComparison.gradients), ("per-sample", GoldenComparison.gradientsPerSample),
        ] {
          let document = try reference.document(gradients: gradients, dtype: dtype)
          try folder.write(document, to: "\(name).json")
          let run = try await ProgramRun(
            Binaries.nnjobs, ["run", "--output", dtype, "\(name).json"], in: folder)
          #expect(run.status == 0 && run.errors == "")
        }
        try GoldenComparison.check(
          try PublishedFolder(folder("\(dtype)/main")),
          perSample: try PublishedFolder(folder("\(dtype)/per-sample")), of: reference,
          dtype: dtype)
      }
    }
  }
}
