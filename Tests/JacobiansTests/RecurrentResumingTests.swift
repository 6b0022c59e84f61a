import Dispatch
import Jacobians
import Synchronization
import TestSupport
import Testing

/// Sequences that go on behind the windows, or the groups of rows, that an earlier computation has done.
@Suite struct RecurrentResumingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let requests: [GradientRequest]
    var strategy: RecurrentStrategy?
    var blockSteps: Int?
    var batch = 1
    var steps = 300
    var lengths: [Int]?
    /// Bytes that are lacking to hold all windows of steps at once.
    var lacking = 0
    /// How often one thread can keep progress within a sequence.
    let points: Int
    var testDescription: String { name }
  }

  private static func request(
    _ name: String, _ options: [String: GradientRequest.Option] = [:]
  ) -> GradientRequest {
    GradientRequest(name: name, options: options)
  }
  private static let jacobian = [request("parameter-jacobian")]
  private static let last: [String: GradientRequest.Option] = ["steps": .text("last")]
  private static let factored: [String: GradientRequest.Option] = ["form": .text("factored")]

  static let cases = [
    // Edges at steps 64, 128, 192, 256.
    Case(name: "forward", requests: jacobian, strategy: .forward, points: 4),
    // At every 64th step, the last one 4 steps before the end: what lies further back is forgotten.
    Case(
      name: "blocked, last step", requests: [request("state-jacobian", last)], strategy: .blocked,
      blockSteps: 16, steps: 1284, points: 20),
    // At every 200th, one of them 2 steps before a step that is asked for.
    Case(
      name: "blocked, some steps",
      requests: [request("parameter-jacobian", ["steps": .integers([7, 450, 1603])])],
      strategy: .blocked, blockSteps: 200, steps: 1650, points: 8),
    Case(name: "adjoint", requests: jacobian, strategy: .adjoint, points: 1),
    Case(
      name: "windows of steps",
      requests: [
        request("outputs"), request("transition-jacobian"), request("loss"),
        request("initial-state-jacobian"), request("local-gradients", ["steps": .integers([200])]),
      ], points: 2),
    Case(
      name: "pairs",
      requests: [request("input-jacobian"), request("parameter-jacobian", factored)], steps: 120,
      points: 2),
    Case(
      name: "reverse sweep", requests: [request("loss-gradient")], steps: 900, lacking: 250_000,
      points: 3),
    Case(
      name: "reverse sweeps, several sequences",
      requests: [request("loss-gradient", ["per_sample": .flag(true)])], batch: 3, steps: 900,
      lacking: 250_000, points: 9),
    Case(
      name: "several passes, several sequences",
      requests: [
        request("outputs"), request("loss-gradient"),
        request("input-jacobian", ["outputs": .integers([2])]), request("parameter-jacobian"),
        request("loss"),
      ], strategy: .forward, batch: 3, lengths: [170, 300, 40], points: 3),
    // The products, norms and the diagonal begin anew within a sequence, the kernel as a whole.
    Case(
      name: "beside passes that begin anew",
      requests: [
        request("jvp", ["vectors": .array(shape: [2, 111])]), request("outputs"),
        request("gauss-newton-product", ["vectors": .array(shape: [2, 111])]), request("norms"),
        request("gauss-newton-diagonal"), request("parameter-jacobian"),
        request("neural-tangent-kernel", last),
      ], strategy: .forward, batch: 2, steps: 200, points: 4),
  ]

  // 1. A computation that goes on from anything that was kept gives the same numbers and counts, and writes just what
  // was not done. 2. Progress is kept within sequences, as often as it can be where one thread computes.
  @Test(arguments: cases, [1, 3])
  func `from every edge that was kept, to the same numbers`(job: Case, threads: Int) throws {
    var generator = SeededGenerator(seed: 23)
    let vectors = Values(generator.numbers(2 * 111))
    let problem = RecurrentProblem<Double>.random(
      seed: 21, widths: [7, 6, 9], units: 4,
      activations: [.hardTanh(minimum: -1, maximum: 1), .tanh], biases: [true, true],
      batch: job.batch, steps: job.steps, lengths: job.lengths
    ).with(["gradients[0].vectors": vectors, "gradients[2].vectors": vectors])
    func planned(memory: Int? = nil) throws -> RecurrentPlan {
      try Planner.plan(
        recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
        dtype: .float64, requests: job.requests, hasTargets: true, hasInitialState: true,
        verify: false, strategy: job.strategy, memory: memory, blockSteps: job.blockSteps)
    }
    var plan = try planned()
    if job.lacking > 0 { plan = try planned(memory: plan.peakMemory(threads: 1) - job.lacking) }
    let sink = MemorySink<Double>(plan.arrays)
    let keeper = KeptPoints(sink)
    let whole = try Computation.run(
      plan, on: problem, into: sink, threads: threads, monitor: QuietMonitor(), keeper: keeper)
    #expect(sink.isWrittenOnce)
    #expect(keeper.points.allSatisfy { plan.isPossible($0.blocks) })
    #expect(whole.numerics.saturated > 0)
    // Some of many, the first and the last two among them.
    let points = keeper.points
    let step = max(1, (points.count - 1) / 4)
    for (number, point) in points.enumerated()
    where number % step == 0 || number >= points.count - 2 {
      let resumed = MemorySink<Double>(plan.arrays)
      try point.fill(resumed, with: plan.finishedNumbers(point.blocks))
      let report = try Computation.run(
        plan, on: problem, into: resumed, threads: 4 - threads, monitor: QuietMonitor(),
        after: point.before)
      #expect(resumed.isWrittenOnce, "1: \(point)")
      let isSame = resumed.arrays == sink.arrays
      #expect(isSame, "1: \(point)")
      #expect(report.numerics == whole.numerics, "1: \(point)")
    }
    let within = keeper.points.filter { $0.blocks.begun != nil }
    #expect(threads > 1 ? !within.isEmpty : within.count >= job.points, "2: \(keeper.points)")
    let blocks = keeper.points.map { plan.blockCount(of: $0.blocks) }
    #expect(blocks == blocks.sorted() && blocks.last ?? 0 <= plan.blockCount, "2: \(blocks)")
  }

  @Test func `what is done at an edge is kept when it is cancelled there`() throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 22, widths: [7, 6, 9], units: 4, activations: [.tanh, .tanh], batch: 1, steps: 300)
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64, requests: Self.jacobian, hasTargets: true, hasInitialState: true,
      verify: false, strategy: .forward)
    let sink = MemorySink<Double>(plan.arrays)
    let keeper = KeptPoints(sink, isDue: false)
    #expect(throws: CancellationError.self) {
      _ = try Computation.run(
        plan, on: problem, into: sink, threads: 2, monitor: CancelledAfter(blocks: 128),
        keeper: keeper)
    }
    #expect(keeper.points.map { $0.blocks.begun?.units } == [128])
  }

  // The state of a short sequence takes longer to be written than to be computed anew.
  @Test func `a state that is not worth it is not kept`() throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 22, widths: [7, 6, 9], units: 4, activations: [.tanh, .tanh], batch: 1, steps: 70)
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64, requests: Self.jacobian, hasTargets: true, hasInitialState: true,
      verify: false, strategy: .forward)
    let sink = MemorySink<Double>(plan.arrays)
    let keeper = KeptPoints(sink)
    _ = try Computation.run(
      plan, on: problem, into: sink, threads: 1, monitor: QuietMonitor(), keeper: keeper)
    #expect(keeper.points.allSatisfy { $0.blocks.begun == nil })
    #expect(plan.stateBytes == 0)
  }
  // Nothing is kept at the edges of such a pass, so a record that says so is none.
  @Test func `how far a pass that begins anew is cannot have been kept`() throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 24, widths: [7, 6, 9], units: 4, activations: [.tanh, .tanh], batch: 1, steps: 300)
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64, requests: [Self.request("norms")], hasTargets: true, hasInitialState: true,
      verify: false, strategy: .adjoint)
    let keeper = KeptPoints(MemorySink<Double>(plan.arrays))
    _ = try Computation.run(
      plan, on: problem, into: MemorySink<Double>(plan.arrays), threads: 1,
      monitor: QuietMonitor(), keeper: keeper)
    #expect(keeper.points.map(\.blocks.blocks) == [1])
    var computed = ComputedBlocks()
    computed.begun = BegunPart(part: 0, units: 1, numerics: Numerics())
    #expect(plan.blockCount > 2)
    #expect(!plan.isPossible(computed))
  }

  // Sequences go on while one thread keeps those before them, and come to their edges meanwhile.
  @Test func `one thread keeps at a time`() throws {
    let problem = RecurrentProblem<Double>.random(
      seed: 25, widths: [7, 6, 9], units: 4, activations: [.tanh, .tanh], batch: 4, steps: 300)
    let plan = try Planner.plan(
      recurrent: problem.network.shape, recurrence: problem.recurrence, shape: problem.shape,
      dtype: .float64, requests: Self.jacobian, hasTargets: true, hasInitialState: true,
      verify: false, strategy: .forward)
    let watch = WatchedKeeper()
    _ = try Computation.run(
      plan, on: problem, into: MemorySink<Double>(plan.arrays), threads: 2, monitor: watch,
      keeper: watch)
    #expect(watch.mostAtOnce == 1)
  }
}

/// Counts threads that keep at once; whoever keeps whole sequences first does not end before all blocks are finished, or, where
/// the machine has no thread to finish them meanwhile, for some seconds.
private final class WatchedKeeper: ProgressKeeper, ComputationMonitor {
  private let inside = Atomic(0)
  private let most = Atomic(0)
  private let isWaitedFor = Atomic(false)
  private let areFinished = DispatchSemaphore(value: 0)

  var isDue: Bool { true }
  var isDueAtCancellation: Bool { false }
  var isCancelled: Bool { false }
  var mostAtOnce: Int { most.load(ordering: .relaxed) }

  func keep(_ blocks: ComputedBlocks, sums: ByteParts, state: ByteParts) throws {
    most.max(inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
    if blocks.begun == nil, !isWaitedFor.exchange(true, ordering: .relaxed) {
      _ = areFinished.wait(timeout: .now() + 5)
    }
    inside.subtract(1, ordering: .relaxed)
  }

  func finished(blocks: Int, of total: Int) { if blocks == total { areFinished.signal() } }
}
