import CommandLineOptions
import Glibc
import Processing
import Store

/// `nnjobs retry`: computes failed or cancelled jobs again, under the same id.
enum Retry: ControlCommand {
  static let verb = ControlRequest.Verb.retry
  static let summary = "compute failed or cancelled jobs again, under the same id"
  static let failed = Option("failed", "every failed job of one's own (root: of everybody)")
  static let options = [failed, Option.json]

  static func run(_ call: Call) throws -> ExitCode {
    guard call.arguments.has(failed) else { return try ask(call) }
    var filter = JobFilter()
    filter.states = [.failed]
    filter.uid = call.isRoot ? nil : geteuid()
    let ids = try call.folders().openStore().jobs(filter).map(\.id)
    if ids.isEmpty {
      Report.note("no failed jobs")
      return .noSuchJob
    }
    return try Control.ask(.retry, of: ids.reversed(), call)
  }
}
