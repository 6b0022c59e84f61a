import CommandLineOptions
import Processing

/// `nnjobs doctor`: whether this machine and this queue are as they should be; measures the machine, or kills nnjobs
/// and nnjobsd on a file system, on request.
enum Doctor: Command {
  static let name = "doctor"
  static let summary = "examine this machine and the queue; measure the machine anew"
  static let calibrate = Option(
    "calibrate",
    "measure kernels, memory and disk; keep the fastest kernels that are right")
  static let crashTest = Option(
    "crash-test", value: "FOLDER",
    "kill nnjobs at every change of a file of a queue made there, and judge")
  static let kills = Option(
    "kills", value: "COUNT", "of a crash test: so many of each way at most, evenly spread")
  static let options = [calibrate, crashTest, kills, Option.json]
  static let notes = """
    Each line says ok, warning or problem, and what cures it. Ends with 1 when there is a problem, else
    with 0. --calibrate takes some seconds, best while nothing else runs, and writes the profile to the
    file that NNJOBS_PROFILE names, else to the queue's state folder, else to the user's cache. Workers
    read it when they start: restart the service to have it used at once.

    --crash-test examines nothing else. In a hidden folder beneath FOLDER it makes one queue after the
    other with a job that succeeds, one that fails, one that is cancelled and one that is refused, kills
    the daemon, its worker or a command with SIGKILL before the first file-changing system call, the
    second, and so on until all were passed, starts the daemon again, and compares: every job once, in
    one final state, results byte for byte as in an undisturbed run, nothing for `nnjobs fsck` to put
    right. Ends with 0 and without the folder, or with 1 and the queues of what failed in it.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try call.arguments.requireNoOperands(of: name)
    if let folder = call.arguments.value(crashTest) { return try crashTest(in: folder, call) }
    let (folders, queue) = QueueExamination.diagnoses(call)
    let profiles = ProfilePlace(environment: call.environment, state: folders?.state)
    if call.arguments.has(calibrate) { try measure(profiles, results: folders?.results, call) }
    let diagnoses =
      queue + [ProcessorExamination.limits(call.environment)]
      + ProcessorExamination.diagnoses(profiles)
    let terminal = try Terminal(1, call: call)
    let profile = profiles.profile?.profile
    if call.has(.json) {
      try Output.standardOutput(
        try JSON.document([
          "diagnoses": .list(diagnoses.map(\.json)),
          "profile": profile.map(ProfilePage.json) ?? .null,
        ]))
    } else {
      try Output.standardOutput(
        diagnoses.text(terminal) + (profile.map { "\n" + ProfilePage.text($0, terminal) } ?? ""))
    }
    return diagnoses.contains { $0.level == .problem } ? .jobFailed : .done
  }

  private static func crashTest(in parent: String, _ call: Call) throws -> ExitCode {
    let limit = try call.arguments.integer(kills, in: 1...1_000_000)
    let test = try CrashTest(beneath: parent, limit: limit, environment: call.environment)
    let terminal = try Terminal(2, call: call)
    var tallies: [CrashTest.Tally] = []
    do {
      for way in CrashWay.allCases where !test.isInterrupted {
        let line = "\(way.rawValue) (\(way.victim))"
        tallies.append(
          try test.run(way) { done, count, failed in
            guard let columns = terminal.columns else { return }
            let text = "\(line): \(done) of \(count), \(failed) failed"
            Output.standardError("\r" + text.prefix(columns - 1) + "\u{1B}[K")
          })
        if terminal.columns != nil { Output.standardError("\r\u{1B}[K") }
        if let tally = tallies.last {
          Report.note("\(line): \(tally.kills) killed, \(tally.failures.count) failed")
        }
      }
    } catch {
      test.removeFolder()
      if let forbidden = error as? Watch.Forbidden {
        throw Complaint.crashTestForbidden(call: forbidden.call, code: forbidden.code)
      }
      throw error
    }
    let page = CrashTestPage(tallies: tallies, parent: parent, folder: test.folder)
    if page.failures == 0 || test.isInterrupted { test.removeFolder() }
    if test.isInterrupted { return .interrupted }
    try Output.standardOutput(
      call.has(.json)
        ? try JSON.document(["crash_test": page.json]) : page.text(try Terminal(1, call: call)))
    return page.failures == 0 ? .done : .jobFailed
  }

  private static func measure(_ profiles: ProfilePlace, results: String?, _ call: Call) throws {
    let profile: MachineProfile
    do throws(Calibration.Failure) {
      profile = try Calibration.run(results: results) { Report.note("measuring \($0)") }
    } catch { throw Complaint.notMeasured(error.sentence) }
    let path = try profiles.write(profile)
    Report.note("wrote \(path)")
  }
}
