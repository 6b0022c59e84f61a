import Formats
import Jacobians
import Processing

/// What a job would compute and what that takes.
enum PlanPage {
  /// For people.
  static func text(_ job: CheckedJob, _ terminal: Terminal) -> String {
    let plan = job.planned.plan
    let cores = job.planned.usefulCores(on: job.machine)
    let memory = job.planned.processMemory(threads: cores)
    let free = try? MachineLimits.freeDisk(at: job.results)
    let lines: [(String, String)] = [
      ("job file", Wording.visible(job.planned.file)),
      ("network", network(plan.network)),
      ("parameters", Wording.grouped(plan.network.parameterCount)),
      ("samples", "\(Wording.grouped(plan.batch)), computed in \(plan.dtype.rawValue)"),
      ("strategy", plan.strategy),
      (
        "blocks",
        "\(plan.blockCount) of \(plan.blockSamples) sample\(plan.blockSamples == 1 ? "" : "s")"
          + ", on \(cores) core\(cores == 1 ? "" : "s")"
      ),
      ("operations", scientific(plan.operations)),
      ("time", "about \(Wording.duration(job.planned.expectedSeconds / Double(cores)))"),
      (
        "memory", "\(ByteCount.text(memory)) of \(ByteCount.text(job.machine.memory))"
      ),
      (
        "results",
        ByteCount.text(job.planned.diskBytes)
          + (free.map { " of \(ByteCount.text($0)) free in \(job.results)" } ?? "")
      ),
      ("verified", plan.verify ? "yes" : "no"),
      (
        "fits",
        job.obstacle == nil ? terminal.text("yes", .green) : terminal.text("no", .red)
      ),
    ]
    let width = lines.map(\.0.count).max() ?? 0
    let page = lines.map { name, value in
      terminal.text(name, .faint) + String(repeating: " ", count: width - name.count + 2) + value
        + "\n"
    }.joined()
    return page + "\n" + arrays(plan, terminal)
  }

  /// For programs.
  static func json(_ job: CheckedJob) -> JSON {
    let plan = job.planned.plan
    let cores = job.planned.usefulCores(on: job.machine)
    let free = try? MachineLimits.freeDisk(at: job.results)
    return .object([
      "file": .text(job.planned.file),
      "layers": .list(plan.network.layers.map(layer)),
      "parameters": .integer(plan.network.parameterCount),
      "samples": .integer(plan.batch), "dtype": .text(plan.dtype.rawValue),
      "strategy": .text(plan.strategy), "blocks": .integer(plan.blockCount),
      "block_samples": .integer(plan.blockSamples), "cores": .integer(cores),
      "operations": .number(plan.operations),
      "seconds": .number(job.planned.expectedSeconds / Double(cores)),
      "memory": .integer(job.planned.processMemory(threads: cores)),
      "memory_limit": .integer(job.machine.memory),
      "bytes": .integer(job.planned.diskBytes),
      "bytes_free": free.map { .integer($0) } ?? .null,
      "verify": .flag(plan.verify), "fits": .flag(job.obstacle == nil),
      "arrays": .list(plan.arrays.map { array($0, plan.dtype) }),
    ])
  }

  private static func network(_ network: NetworkShape) -> String {
    network.layers.reduce("\(network.inputs)") { text, layer in
      text + " → \(layer.outputs) \(layer.activation.name)"
        + (layer.hasBiases ? "" : " (no biases)")
    }
  }

  private static func arrays(_ plan: Plan, _ terminal: Terminal) -> String {
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
