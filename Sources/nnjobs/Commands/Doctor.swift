import CommandLineOptions
import Processing

/// `nnjobs doctor`: whether this machine and this queue are as they should be; measures the machine on request.
enum Doctor: Command {
  static let name = "doctor"
  static let summary = "examine this machine and the queue; measure the machine anew"
  static let calibrate = Option(
    "calibrate",
    "measure kernels, memory and disk; keep the fastest kernels that are right")
  static let options = [calibrate, Option.json]
  static let notes = """
    Each line says ok, warning or problem, and what cures it. Ends with 1 when there is a problem, else
    with 0. --calibrate takes some seconds, best while nothing else runs, and writes the profile to the
    file that NNJOBS_PROFILE names, else to the queue's state folder, else to the user's cache. Workers
    read it when they start: restart the service to have it used at once.
    """

  static func run(_ call: Call) throws -> ExitCode {
    try call.arguments.requireNoOperands(of: name)
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

  private static func measure(_ profiles: ProfilePlace, results: String?, _ call: Call) throws {
    let profile: MachineProfile
    do throws(Calibration.Failure) {
      profile = try Calibration.run(results: results) { Report.note("measuring \($0)") }
    } catch { throw Complaint.notMeasured(error.sentence) }
    let path = try profiles.write(profile)
    Report.note("wrote \(path)")
  }
}
