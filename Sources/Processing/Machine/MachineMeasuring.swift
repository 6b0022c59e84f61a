import Jacobians

/// What a process of its own does to measure the machine with the kernels that its environment names.
package enum MachineMeasuring {
  /// The hidden command's name; the number of cores and the folder for results follow.
  static let role = "measure-machine"

  /// What it prints.
  struct Answer: Codable {
    /// Why OpenBLAS cannot be used; nil when it can.
    var problem: String?
    /// The library's file and version.
    var path = ""
    var version = ""
    /// nil when there is a problem.
    var rates: MachineRates?
  }

  /// Measures and prints; where it is not asked for, returns.
  package static func serve(_ words: [String]) {
    guard words.first == role, words.count >= 2, let cores = Int(words[1]) else { return }
    var answer = Answer()
    do throws(BLASError) {
      let blas = try BLAS.loaded()
      answer.path = blas.path
      answer.version = blas.version
      answer.rates = .measured(blas, cores: cores, folder: words.count > 2 ? words[2] : nil)
    } catch { answer.problem = error.description }
    ChildProgram.answer(answer)
  }

  /// Measures in another process, with that kernel (nil: the library's own choice).
  static func measure(
    kernel: String?, cores: Int, folder: String?
  ) throws(Calibration.Failure) -> Answer {
    let variables = kernel.map { [BLAS.kernelVariable: $0] } ?? [:]
    switch ChildProgram.ask(
      [role, "\(cores)"] + (folder.map { [$0] } ?? []), adding: variables, seconds: 120,
      for: Answer.self)
    {
    case .failure(let reason):
      throw Calibration.Failure(sentence: "cannot measure this machine: \(reason.text)")
    case .success(let answer):
      if let problem = answer.problem { throw Calibration.Failure(sentence: problem) }
      return answer
    }
  }
}
