import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `nnjobsd's command line` {
    @Test(
      .timeLimit(.minutes(1)),
      arguments: [
        CommandLineCase(arguments: ["--version"], status: 0, output: "nnjobsd 0.1.0\n"),
        CommandLineCase(
          arguments: ["--frob"], status: 64,
          errors: "nnjobsd: no option --frob; `nnjobsd --help` lists them\n"),
        CommandLineCase(
          arguments: ["--workers"], status: 64,
          errors: "nnjobsd: option --workers needs a value; write --workers COUNT\n"),
        CommandLineCase(
          arguments: ["--workers", "0"], status: 64,
          errors: "nnjobsd: --workers is a whole number from 1 to 1024, not \"0\"\n"),
        CommandLineCase(
          arguments: ["--memory=much"], status: 64,
          errors: "nnjobsd: --memory is a size as 16GiB or 500MiB, not \"much\"\n"),
      ])
    func `says what is wrong with it`(line: CommandLineCase) async throws {
      let folder = try TemporaryFolder()
      let run = try await ProgramRun(Binaries.nnjobsd, line.arguments, in: folder)
      #expect(run.status == line.status)
      #expect(run.output == line.output)
      #expect(run.errors == line.errors)
    }

    @Test(.timeLimit(.minutes(2)))
    func `serves and stops although its service manager does not listen`() async throws {
      let queue = try TestQueue()
      let manager = try NotifySocket()
      try manager.fill()
      try queue.drop(BadFile.good, as: "good.json")
      let run = try await ProgramRun(
        Binaries.nnjobsd, [], in: queue.folder, environment: ["NOTIFY_SOCKET": manager.address],
        interrupting: { try queue.jobs().contains { $0.state == .succeeded } })
      #expect(run.status == 0, "\(run)")
    }
  }
}
