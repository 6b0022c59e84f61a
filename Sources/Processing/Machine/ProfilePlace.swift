package import Formats
import Glibc
import Jacobians

/// Where a profile of this machine is kept: in the queue's state folder, or in the user's cache.
package struct ProfilePlace: Hashable, Sendable {
  /// The variable that names a profile's file, before all others.
  package static let variable = "NNJOBS_PROFILE"

  /// Where to look, in order: the file that is named, else the queue's, else the user's.
  package let paths: [String]
  /// Whether the environment names OpenBLAS's kernels, so that no measurement is needed to choose them.
  private let isKernelNamed: Bool

  /// The places that the environment and the state folder of a queue, if there is one, tell.
  package init(environment: [String: String], state: String?) {
    isKernelNamed = !(environment[BLAS.kernelVariable] ?? "").isEmpty
    if let named = environment[ProfilePlace.variable], !named.isEmpty {
      paths = [named]
      return
    }
    // The XDG Base Directory Specification: a relative path is no value.
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? environment["HOME"].map { $0 + "/.cache" }
    paths = [state.map(ProfilePlace.ofQueue), cache.map { $0 + "/nnjobs/machine.json" }]
      .compactMap { $0 }
  }

  /// The file of a queue.
  package static func ofQueue(state: String) -> String { state + "/machine.json" }

  /// The first profile that is there and of this machine, and where it is.
  package var profile: (profile: MachineProfile, path: String)? {
    let machine = (Processor.ofThisMachine(), MachineLimits.ofThisMachine().cores)
    for path in paths {
      if let profile = MachineProfile(at: path, processor: machine.0, cores: machine.1) {
        return (profile, path)
      }
    }
    return nil
  }

  /// Measures the machine for the first time, where nobody has named the kernels, and keeps what was found.
  ///
  /// A failure is told and otherwise passed over: jobs are then computed with the usual kernel. What was measured
  /// while the user wanted to end is not kept.
  package func measure(
    results: String, unless isCancelled: () -> Bool = { false }, note: (String) -> Void
  ) {
    guard !isKernelNamed, profile == nil else { return }
    note("measuring this machine, once, for some seconds")
    do {
      let profile = try Calibration.run(results: results)
      guard !isCancelled() else { return }
      note("using \(profile.sentence), as \(try write(profile)) says")
    } catch let error as Calibration.Failure {
      note(error.sentence)
    } catch let error as SystemError {
      note(error.sentence)
    } catch {
      note("\(error)")
    }
  }

  /// Writes a profile to the first place that takes it, and says which that is.
  package func write(_ profile: MachineProfile) throws(SystemError) -> String {
    var failure = SystemError(
      call: "find a place for", object: "the machine's profile", code: ENOENT)
    for path in paths {
      do throws(SystemError) {
        makeFolders(above: path)
        try profile.write(to: path)
        return path
      } catch { failure = error }
    }
    throw failure
  }

  /// The two last folders above, where they are missing; what fails shows when the file is written.
  private func makeFolders(above path: String) {
    guard path.hasSuffix("/nnjobs/machine.json") else { return }
    let parts = path.split(separator: "/").dropLast()
    for count in [parts.count - 1, parts.count] {
      unsafe _ = mkdir("/" + parts.prefix(count).joined(separator: "/"), 0o700)
    }
  }
}
