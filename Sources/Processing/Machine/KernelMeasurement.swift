import FoundationEssentials
package import Jacobians

/// What one kernel of OpenBLAS showed on this machine.
package struct KernelMeasurement: Codable, Hashable, Sendable {
  /// The kernel's name, as `SkylakeX`.
  package let kernel: String
  /// How many products were compared with plain loops.
  package let checks: Int
  /// What was wrong; nil when every product was right.
  package let failure: String?
  /// How fast it is, on one thread; empty when it is not right.
  package let rates: [ProductRate]
  /// Their geometric mean, in 10⁹ operations a second.
  package let score: Double

  /// Records what a kernel showed.
  init(kernel: String, checks: Int, failure: String?, rates: [ProductRate]) {
    self.kernel = kernel
    self.checks = checks
    self.failure = failure
    self.rates = rates
    score = rates.score
  }

  /// How much faster than the usual kernel another one must be to be taken: figures of a short measurement repeat
  /// within some per cent, and with the usual kernel a sample's bits do not depend on its neighbours.
  static let margin = 1.1

  /// The fastest that is right; the usual one unless another is faster by the margin. nil when none is right.
  static func best(of measurements: [KernelMeasurement]) -> KernelMeasurement? {
    let right = measurements.filter { $0.failure == nil }
    guard let fastest = right.max(by: { $0.score < $1.score }) else { return nil }
    guard let usual = right.first(where: { $0.kernel == BLAS.usualKernel }),
      fastest.score < margin * usual.score
    else { return fastest }
    return usual
  }
}

/// What a process of its own does to measure the kernel that its environment names; `main` of both programs leads here.
package enum KernelMeasuring {
  /// The hidden command's name.
  static let role = "measure-kernel"
  private static let products = 500
  private static let secondsPerShape = 0.015

  /// Checks and measures the kernel that was loaded, and prints what it showed; where it is not asked for, returns.
  package static func serve(_ words: [String]) {
    guard words == [role] else { return }
    let measurement: KernelMeasurement
    do throws(BLASError) {
      let blas = try BLAS.loaded()
      let check = ProductCheck(blas, products: products)
      measurement = KernelMeasurement(
        kernel: blas.kernel, checks: check.count, failure: check.failure,
        rates: check.failure == nil
          ? ProductRate.measured(blas, seconds: secondsPerShape) : [])
    } catch {
      measurement = KernelMeasurement(
        kernel: "none", checks: 0, failure: error.description, rates: [])
    }
    ChildProgram.answer(measurement)
  }

  /// Measures a kernel in another process; `name` of nil leaves the choice to the library.
  static func measure(_ name: String?) -> KernelMeasurement {
    let label = name ?? "the library's own"
    func failed(_ reason: String) -> KernelMeasurement {
      KernelMeasurement(kernel: label, checks: 0, failure: reason, rates: [])
    }
    let variables = name.map { [BLAS.kernelVariable: $0] } ?? [:]
    switch ChildProgram.ask([role], adding: variables, seconds: 120, for: KernelMeasurement.self) {
    case .failure(let reason): return failed(reason.text)
    case .success(let measurement):
      guard let name, measurement.kernel != name, measurement.failure == nil else {
        return measurement
      }
      return failed("this OpenBLAS does not have it, and takes \(measurement.kernel)")
    }
  }
}
