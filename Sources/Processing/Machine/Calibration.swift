import Glibc
import Jacobians

/// Measures this machine: every kernel of OpenBLAS that it can run, each in a process of its own, then its rates.
package enum Calibration {
  /// Why a machine cannot be measured.
  package struct Failure: Error, Hashable, Sendable {
    /// Verb, object, reason and remedy.
    package let sentence: String
  }

  /// Takes about half a second for each kernel and one for the rest; `tell` hears what is next.
  ///
  /// `results` is the folder whose file system is measured, with 128 MiB that are removed again.
  package static func run(
    results: String?, tell: (String) -> Void = { _ in }
  ) throws(Failure) -> MachineProfile {
    let processor = Processor.ofThisMachine()
    let cores = MachineLimits.ofThisMachine().cores
    let names: [String?] = KernelCandidate.runnable(on: processor).map(\.name)
    var kernels: [KernelMeasurement] = []
    for name in names.isEmpty ? [nil] : names {
      tell(name.map { "OpenBLAS's \($0) kernels" } ?? "OpenBLAS's own choice of kernels")
      kernels.append(KernelMeasuring.measure(name))
    }
    let kernel = names.isEmpty ? nil : KernelMeasurement.best(of: kernels)?.kernel
    tell("processor, memory and disk")
    let folder = results.map { absolute($0) }
    let answer = try MachineMeasuring.measure(kernel: kernel, cores: cores, folder: folder)
    guard let library = MachineProfile.Library(at: answer.path, version: answer.version) else {
      throw Failure(sentence: "cannot measure OpenBLAS: \(answer.path) is not there")
    }
    return MachineProfile(
      processor: processor.model, cores: cores, library: library, kernel: kernel, kernels: kernels,
      rates: answer.rates)
  }

  /// The folder's own path, so that the profile names it whatever folder its reader is in.
  private static func absolute(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
