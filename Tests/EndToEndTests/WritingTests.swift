import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What the disk answers while results are on their way to it, said by strace(1) in its place.
  @Suite struct `Writing` {
    // The first window begins; after 17 windows the 18th call is the first to wait; fsync comes last.
    @Test(arguments: [
      "sync_file_range:error=EIO:when=1", "sync_file_range:error=EIO:when=18",
      "fsync:error=EIO:when=1",
    ])
    func `an error at any time fails the job, and leaves nothing`(fault: String) async throws {
      let here = try TemporaryFolder()
      guard let run = try await run(in: here, injecting: fault) else { return }
      #expect(run.status == 74)
      let call = fault.hasPrefix("fsync") ? "fsync" : "write back"
      #expect(run.errors.hasPrefix("nnjobs: cannot \(call) results/.partial-run-"))
      #expect(run.errors.hasSuffix(": Input/output error\n"), "\(run.errors)")
      #expect(try here.names(in: "results") == [])
    }

    @Test(arguments: ["EPERM", "ENOSYS"])
    func `where early write-back is refused, fsync does it all`(code: String) async throws {
      let here = try TemporaryFolder()
      guard let run = try await run(in: here, injecting: "sync_file_range:error=\(code)") else {
        return
      }
      #expect(run.status == 0, "\(run.errors)")
      #expect(try here.names(in: "results") == ["policy"])
    }

    /// Runs a job of 260 MB under strace; nil where there is none.
    private func run(
      in here: TemporaryFolder, injecting fault: String
    ) async throws -> ProgramRun? {
      guard let strace = Binaries.ofSystem("strace") else { return nil }
      let policy = JobText(
        widths: [64, 256, 256, 8], samples: 48, gradients: #"["parameter-jacobian"]"#)
      try here.write(policy.json, to: "policy.json")
      let call = fault.prefix { $0 != ":" }
      return try await ProgramRun(
        strace,
        [
          "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault)",
          Binaries.nnjobs, "run", "-t", "1", "policy.json",
        ], in: here)
    }
  }
}
