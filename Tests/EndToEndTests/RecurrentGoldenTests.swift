import Formats
import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `The recurrent reference cases` {
    /// What expected.npz holds, under the same names.
    private static let gradients = """
      ["outputs", "parameter-jacobian", "state-jacobian", "input-jacobian", "loss", "loss-gradient"]
      """

    /// |difference| ≤ tolerance · max(1, |expected|): some hundred steps of sums, each rounded.
    private static func tolerance(_ dtype: String) -> Double { dtype == "float64" ? 1e-11 : 1e-4 }

    private static func check(
      _ folder: PublishedFolder, of reference: ReferenceCase, dtype: String
    ) throws {
      let expected = try reference.expected()
      for name in expected.names {
        let wanted = try expected.array(named: name)
        let array = try folder.array(name)
        #expect(array.array.type.rawValue == dtype && array.shape == wanted.shape, "\(name)")
        let worst = zip(try array.numbers(), try wanted.numbers).reduce(0.0) { worst, pair in
          max(worst, abs(pair.0 - pair.1) / max(1, abs(pair.1)))
        }
        #expect(worst <= tolerance(dtype), "\(name)")
      }
      #expect(Set(folder.arrays) == Set(expected.names), "every array published is compared")
    }

    @Test(.timeLimit(.minutes(2)), arguments: ReferenceCase.recurrent)
    func `come out right through the daemon, by every strategy`(
      reference: ReferenceCase
    ) async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      let strategies = ["forward", "adjoint", "blocked"]
      for strategy in strategies {
        var document = try reference.document(gradients: Self.gradients, dtype: "float64")
        document.replace(
          "{\"version\": 1,", with: "{\"version\": 1, \"strategy\": \"\(strategy)\",")
        try queue.drop(document, as: "\(strategy).json")
      }
      try await queue.wait(forCount: strategies.count)
      for strategy in strategies {
        let folder = try queue.result(strategy)
        try Self.check(folder, of: reference, dtype: "float64")
        // One step leaves nothing between one step and all, so there is no blocked way.
        if reference.name == "recurrent-one-step" && strategy == "blocked" { continue }
        let manifest = try queue.folder.text(of: "results/\(strategy)/manifest.json")
        #expect(manifest.contains("\"chosen\":\"\(strategy)\""))
      }
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)), arguments: ReferenceCase.recurrent)
    func `come out right through nnjobs run`(reference: ReferenceCase) async throws {
      let folder = try TemporaryFolder()
      for dtype in ["float64", "float32"] {
        try folder.write(
          try reference.document(gradients: Self.gradients, dtype: dtype), to: "main.json")
        let run = try await ProgramRun(
          Binaries.nnjobs, ["run", "--output", dtype, "main.json"], in: folder)
        #expect(run.status == 0 && run.errors == "")
        try Self.check(try PublishedFolder(folder("\(dtype)/main")), of: reference, dtype: dtype)
      }
    }
  }
}
