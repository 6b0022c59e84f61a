import Jacobians
import Processing

/// Cores and memory, OpenBLAS, its kernels, and the profile that chooses them.
enum ProcessorExamination {
  /// Looks at what this process would compute with.
  static func diagnoses(_ profiles: ProfilePlace) -> [Diagnosis] {
    let found = profiles.profile
    KernelChoice.settle(profile: found?.profile)
    let blas: BLAS
    do throws(BLASError) { blas = try BLAS.loaded() } catch {
      return [.problem("OpenBLAS", "\(error.library): \(error.reason)", cure: error.remedy)]
    }
    return [
      .ok("OpenBLAS", "\(blas.version), \(blas.path)"), kernel(blas), profile(profiles, found),
    ]
  }

  /// What jobs may use.
  static func limits(_ environment: [String: String]) -> Diagnosis {
    let measured = MachineLimits.ofThisMachine()
    let machine = (try? MachineLimits.configured(environment)) ?? measured
    let text =
      Wording.count(measured.cores, "core") + ", \(ByteCount.text(machine.memory)) for jobs"
    // What is measured is 0.8 of what there is.
    guard machine.memory / 5 * 4 > measured.memory else { return .ok("machine", text) }
    return .warning(
      "machine", text + ", but it has only \(ByteCount.text(measured.memory / 4 * 5))",
      cure: "lower memory in the configuration")
  }

  private static func kernel(_ blas: BLAS) -> Diagnosis {
    let choice = KernelChoice.settled
    switch choice.chooser {
    case .environment where choice.kernel != blas.kernel:
      return .warning(
        "kernels", "\(blas.kernel), though \(BLAS.kernelVariable) is \(choice.kernel ?? "")",
        cure: "unset it, or set it to kernels this OpenBLAS has, as \(BLAS.usualKernel)")
    case .environment:
      return .ok("kernels", "\(blas.kernel), as \(BLAS.kernelVariable) says")
    case .profile:
      return .ok("kernels", "\(blas.kernel), the fastest that is right, by measurement")
    case .default: return .ok("kernels", "\(blas.kernel), by default")
    }
  }

  private static func profile(
    _ profiles: ProfilePlace, _ found: (profile: MachineProfile, path: String)?
  ) -> Diagnosis {
    guard let (profile, path) = found else {
      return .warning(
        "profile", "none of this machine in \(profiles.paths.joined(separator: " or "))",
        cure: "measure it: nnjobs doctor --calibrate")
    }
    if profile.kernel == nil, !profile.kernels.contains(where: { $0.failure == nil }) {
      return .problem(
        "profile",
        "no kernel of OpenBLAS computes right here: "
          + (profile.kernels.first?.failure ?? "none could be started"),
        cure: "install another libopenblas0-pthread, then: nnjobs doctor --calibrate")
    }
    return .ok("profile", "\(path), measured \(Wording.local(profile.measured))")
  }
}
