import Formats
import Jacobians
import Processing

/// What a job would compute and what that takes.
enum PlanPage {
  /// For people.
  static func text(_ job: CheckedJob, _ terminal: Terminal) -> String {
    let plan = job.planned.plan
    let cores = job.usefulCores
    let memory = job.planned.processMemory(threads: cores)
    let free = try? MachineLimits.freeDisk(at: job.results)
    var lines: [(String, String)] = [
      ("job file", Wording.visible(job.planned.file)),
      ("network", network(plan)),
      ("parameters", Wording.grouped(plan.network.parameterCount)),
      extent(plan),
      ("strategy", plan.strategy),
      ("blocks", blocks(plan) + ", on \(cores) core\(cores == 1 ? "" : "s")"),
      ("operations", scientific(plan.operations)),
      ("time", time(job)),
      (
        "memory", "\(ByteCount.text(memory)) of \(ByteCount.text(job.machine.memory))"
      ),
      (
        "results",
        ByteCount.text(job.planned.diskBytes)
          + (free.map { " of \(ByteCount.text($0)) free in \(job.results)" } ?? "")
      ),
      (
        "meanwhile",
        plan.keptBytes < 1 << 20
          ? "" : "\(ByteCount.text(plan.keptBytes)) more at most, to go on from after a crash"
      ),
      ("verified", plan.verify ? "yes" : "no"),
      (
        "fits",
        job.obstacle == nil ? terminal.text("yes", .green) : terminal.text("no", .red)
      ),
    ]
    // After the strategy.
    lines.insert(contentsOf: bracketing(plan), at: 5)
    lines.removeAll { $0.1.isEmpty }
    let width = lines.map(\.0.count).max() ?? 0
    let page = lines.map { name, value in
      terminal.text(name, .faint) + String(repeating: " ", count: width - name.count + 2) + value
        + "\n"
    }.joined()
    return page + strategies(plan, terminal) + "\n" + arrays(plan, terminal)
  }

  private static func time(_ job: CheckedJob) -> String {
    let basis =
      job.profile.map { "the profile \($0.path) of \(Wording.local($0.profile.measured))" }
      ?? "assumed rates, as this machine was never measured"
    return "about \(Wording.duration(job.prediction.seconds)), by \(basis)"
  }

  private static func bracketing(_ plan: JobPlan) -> [(String, String)] {
    guard case .feedForward(let plan) = plan, let bracketing = plan.bracketing else { return [] }
    let sweep = scientific(bracketing.sweepOperations * Double(plan.batch))
    let best = scientific(bracketing.operations * Double(plan.batch))
    return [
      (
        "∂y/∂x",
        bracketing.isTaken
          ? "\(bracketing.text), \(best) operations; \(sweep) from the outputs down"
          : "from the outputs down, \(sweep) operations; the least is \(best) by \(bracketing.text)"
      )
    ]
  }

  private static func extent(_ plan: JobPlan) -> (String, String) {
    let type = ", computed in \(plan.dtype.rawValue)"
    switch plan {
    case .feedForward: return ("samples", Wording.grouped(plan.batch) + type)
    case .recurrent(let recurrent):
      let steps = Wording.grouped(recurrent.shape.steps)
      return (
        "sequences",
        "\(Wording.grouped(plan.batch)) of \(recurrent.shape.lengths == nil ? "" : "at most ")\(steps) "
          + "steps" + type
      )
    }
  }

  private static func blocks(_ plan: JobPlan) -> String {
    switch plan {
    case .feedForward(let plan):
      "\(plan.blockCount) of \(plan.blockSamples) sample\(plan.blockSamples == 1 ? "" : "s")"
    case .recurrent(let plan): "\(plan.blockCount) windows of steps"
    }
  }

  /// The ways to a recurrent network's Jacobians, the chosen one marked.
  private static func strategies(_ plan: JobPlan, _ terminal: Terminal) -> String {
    guard case .recurrent(let plan) = plan, !plan.candidates.isEmpty else { return "" }
    var table = Table([
      ("STRATEGY", .left), ("OPERATIONS", .right), ("BYTES MOVED", .right), ("TIME", .right),
      ("MEMORY", .right), ("BLOCK", .left),
    ])
    for candidate in plan.candidates {
      let isChosen = candidate.strategy == plan.chosen
      let block = candidate.blockSteps.map { "\($0) steps" } ?? ""
      let note = isChosen ? "chosen" : candidate.fits ? "" : "does not fit"
      table.add([
        .init(candidate.strategy.rawValue), .init(scientific(candidate.operations)),
        .init(ByteCount.text(Int(candidate.bytesMoved))),
        .init(Wording.duration(candidate.seconds)), .init(ByteCount.text(candidate.memory)),
        .init([block, note].filter { !$0.isEmpty }.joined(separator: ", ")),
      ])
    }
    return "\n" + table.text(for: terminal)
  }

  /// For programs.
  static func json(_ job: CheckedJob) -> JSON {
    let plan = job.planned.plan
    let cores = job.usefulCores
    let free = try? MachineLimits.freeDisk(at: job.results)
    return .object([
      "file": .text(job.planned.file),
      "layers": .list(plan.network.layers.map(layer)),
      "parameters": .integer(plan.network.parameterCount),
      "samples": .integer(plan.batch), "dtype": .text(plan.dtype.rawValue),
      "strategy": .text(plan.strategy), "blocks": .integer(plan.blockCount),
      "recurrent": recurrent(plan), "input_chain": inputChain(plan), "cores": .integer(cores),
      "operations": .number(plan.operations),
      "seconds": .number(job.prediction.seconds),
      "basis": .text(job.prediction.basis.rawValue), "profile": .optional(job.profile?.path),
      "memory": .integer(job.planned.processMemory(threads: cores)),
      "memory_limit": .integer(job.machine.memory),
      "bytes": .integer(job.planned.diskBytes),
      "bytes_meanwhile": .integer(plan.keptBytes),
      "bytes_free": free.map { .integer($0) } ?? .null,
      "verify": .flag(plan.verify), "fits": .flag(job.obstacle == nil),
      "arrays": .list(plan.arrays.map { array($0, plan.dtype) }),
    ])
  }

  /// How ∂y/∂x is multiplied out; null where it is not asked for.
  private static func inputChain(_ plan: JobPlan) -> JSON {
    guard case .feedForward(let plan) = plan, let bracketing = plan.bracketing else { return .null }
    return .object([
      "order": .text(bracketing.text), "taken": .flag(bracketing.isTaken),
      "operations": .number(bracketing.operations * Double(plan.batch)),
      "sweep_operations": .number(bracketing.sweepOperations * Double(plan.batch)),
    ])
  }

  /// What only a recurrent plan has; null for others.
  private static func recurrent(_ plan: JobPlan) -> JSON {
    guard case .recurrent(let plan) = plan else { return .null }
    let candidates = plan.candidates.map { candidate in
      JSON.object([
        "strategy": .text(candidate.strategy.rawValue),
        "operations": .number(candidate.operations), "bytes_moved": .number(candidate.bytesMoved),
        "seconds": .number(candidate.seconds), "memory": .integer(candidate.memory),
        "block_steps": candidate.blockSteps.map { .integer($0) } ?? .null,
        "fits": .flag(candidate.fits),
      ])
    }
    return .object([
      "units": .integer(plan.recurrence.units), "steps": .integer(plan.shape.steps),
      "chosen": plan.chosen.map { .text($0.rawValue) } ?? .null, "strategies": .list(candidates),
    ])
  }

  private static func network(_ plan: JobPlan) -> String {
    let layers = plan.network.layers.reduce("\(plan.network.inputs)") { text, layer in
      text + " → \(layer.outputs) \(layer.activation.name)"
        + (layer.hasBiases ? "" : " (no biases)")
    }
    guard case .recurrent(let recurrent) = plan else { return layers }
    return layers + ", the last \(recurrent.recurrence.units) fed back"
  }

  private static func arrays(_ plan: JobPlan, _ terminal: Terminal) -> String {
    var table = Table([
      ("GRADIENT", .left), ("ARRAY", .left), ("SHAPE", .left), ("SIZE", .right), ("AXES", .left),
    ])
    for array in plan.arrays {
      table.add([
        .init(array.gradient), .init(array.path + ".npy"), .init(shape(array.shape)),
        .init(ByteCount.text(array.count * plan.dtype.byteCount)),
        .init(array.axes.joined(separator: ", "), .faint),
      ])
    }
    return table.text(for: terminal)
  }

  /// `360 × 10 × 64`.
  static func shape(_ shape: [Int]) -> String {
    shape.isEmpty ? "one number" : shape.map(String.init).joined(separator: " × ")
  }

  private static func layer(_ layer: LayerShape) -> JSON {
    .object([
      "inputs": .integer(layer.inputs), "outputs": .integer(layer.outputs),
      "biases": .flag(layer.hasBiases), "activation": .text(layer.activation.name),
    ])
  }

  private static func array(_ array: ResultArray, _ dtype: ScalarType) -> JSON {
    .object([
      "gradient": .text(array.gradient), "file": .text(array.path + ".npy"),
      "shape": .list(array.shape.map { .integer($0) }),
      "axes": .list(array.axes.map { .text($0) }),
      "bytes": .integer(array.count * dtype.byteCount),
    ])
  }

  private static func scientific(_ number: Double) -> String {
    guard number >= 1e6 else { return Wording.grouped(Int(max(0, number))) }
    var (mantissa, exponent) = (number, 0)
    while mantissa >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    return "\(Wording.decimals(mantissa, 2))e\(exponent)"
  }
}
