import Glibc
import Jacobians
import Synchronization

/// Which kernels OpenBLAS is told to use, and by whom; settled once, before the library is loaded.
package struct KernelChoice: Hashable, Sendable {
  /// Who chose.
  package enum Chooser: String, Sendable {
    /// OPENBLAS_CORETYPE was set when the program started.
    case environment
    /// The machine's profile, by measurement.
    case profile
    /// Nobody: the usual kernel where the processor can run it, else the library's own choice.
    case `default`
  }

  /// The kernel's name; nil by default.
  package let kernel: String?
  /// Who chose.
  package let chooser: Chooser

  /// The environment's word, else the profile's.
  package init(environment named: String?, profile: MachineProfile?) {
    if let named, !named.isEmpty {
      kernel = named
      chooser = .environment
    } else {
      kernel = profile?.kernel
      chooser = kernel == nil ? .default : .profile
    }
  }

  private struct Kept {
    let choice: KernelChoice
    let profile: MachineProfile?
  }
  private static let kept = Mutex<Kept?>(nil)

  /// The choice of this process.
  package static var settled: KernelChoice {
    kept.withLock { $0?.choice } ?? KernelChoice(environment: variable, profile: nil)
  }

  /// The profile it was settled with.
  package static var profile: MachineProfile? { kept.withLock { $0?.profile } }

  /// Settles the choice of this process, the first time only: call it before OpenBLAS and threads.
  package static func settle(profile: MachineProfile?) {
    kept.withLock { kept in
      guard kept == nil else { return }
      let choice = KernelChoice(environment: variable, profile: profile)
      if choice.chooser == .profile, let kernel = choice.kernel {
        unsafe setenv(BLAS.kernelVariable, kernel, 1)
      }
      kept = Kept(choice: choice, profile: profile)
    }
  }

  private static var variable: String? {
    unsafe getenv(BLAS.kernelVariable).map { unsafe String(cString: $0) }
  }
}
