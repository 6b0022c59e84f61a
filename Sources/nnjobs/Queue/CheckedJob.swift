import Formats
import Glibc
import Processing

/// A job file that was examined and planned with the caller's rights, before anything is dropped or computed.
struct CheckedJob: Sendable {
  /// What it will compute and what that takes.
  let planned: PlannedJob
  /// What this machine offers.
  let machine: MachineLimits
  /// Where its results would be published.
  let results: String
  /// What was measured of this machine, if anything.
  let profile: (profile: MachineProfile, path: String)?

  /// What it is expected to take, on as many cores as it can use.
  var prediction: Prediction {
    Prediction(of: planned, threads: usefulCores, results: results, rates: profile?.profile.rates)
  }

  /// The cores it can use.
  var usefulCores: Int { planned.usefulCores(on: machine, at: profile?.profile.rates) }

  /// Examines and plans; throws when the file is no valid job.
  init(
    _ path: String, results: String, machine: MachineLimits,
    profile: (profile: MachineProfile, path: String)? = nil
  ) throws {
    // A file that cannot be opened is no fault in the job; O_NONBLOCK so that a FIFO does not hold this up.
    _ = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
    planned = try PlannedJob(
      JobFile(examining: path, references: .allowed), file: path, on: machine)
    self.machine = machine
    self.results = results
    self.profile = profile
  }

  /// What stands against running it here now, with numbers; nil when it fits.
  var obstacle: JobError? {
    do throws(JobError) {
      try planned.checkFit(on: machine, results: results)
      return nil
    } catch { return error }
  }

  /// Throws, with numbers, what stands against ever running it in a queue: where that is only a matter of room or of
  /// a turn, it may wait.
  func checkAdmission(under limits: QueueLimits) throws(JobError) {
    try planned.checkFit(on: machine, results: results, whenEmpty: true)
    _ = try limits.admit(planned, of: geteuid(), file: planned.file)
  }

  /// The name it would be dropped under: the file's own, with the ending that its kind has once it is packed.
  func fileName(isPacked: Bool) throws(Complaint) -> JobFileName {
    let path = planned.jobFile.path
    let own = path.split(separator: "/").last.map(String.init) ?? path
    let ending = isPacked || planned.jobFile.kind == .safetensors ? ".safetensors" : ".json"
    let wanted = JobFileName(own).job + ending
    switch JobFileName.read(Array(wanted.utf8)) {
    case .job(let name): return name
    case .impossible(_, let reason): throw .unusableName(path, reason: reason)
    case .control, .ignored:
      throw .unusableName(
        path, reason: "the inbox ignores names that begin with a full stop; rename it")
    }
  }
}

extension MachineLimits {
  /// This machine as the queue's configuration allows jobs to use it.
  static func configured(_ environment: [String: String]) throws(QueueError) -> MachineLimits {
    let measured = MachineLimits.ofThisMachine()
    let settings = try Configuration(environment: environment)
    return MachineLimits(cores: measured.cores, memory: settings.memory ?? measured.memory)
  }
}
