import Dispatch
import Synchronization

/// Computes planned jobs.
package enum Computation {
  /// Computes all blocks of a plan on `threads` threads and hands the results to `sink`.
  ///
  /// Throws `CancellationError` when the monitor says so, what the sink threw, or `BLASError`. With one
  /// thread everything runs on the caller's. What `before` says is done already is not computed again; progress is
  /// kept by `keeper`.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package static func run<T: Scalar>(
    _ plan: Plan, on problem: Problem<T>, into sink: any ResultSink, threads: Int,
    monitor: any ComputationMonitor, after before: ComputedBefore = .nothing,
    keeper: (any ProgressKeeper)? = nil
  ) throws -> ComputationReport {
    precondition(plan.dtype == T.type, "a problem has the plan's number type")
    precondition(plan.network == problem.network.shape, "a problem has the plan's network")
    precondition(plan.batch == problem.batch, "a problem has the plan's batch")
    let clock = ContinuousClock()
    let start = clock.now
    let blas = try BLAS.loaded()
    let factors = plan.verify ? EngineFactors(of: problem, blas: blas) : nil
    let verification = try factors.map {
      Verification(of: $0, on: problem).adding(
        try $0.contractionChecks(of: plan.requests, on: problem))
    }
    let verified = clock.now
    let job = RunningJob(
      plan, on: problem, into: sink, monitor: monitor, blas: blas, after: before, keeper: keeper)
    let helpers = min(threads, plan.sampleBlocks) - 1
    if helpers > 0 {
      let queue = DispatchQueue(label: "nnjobs.blocks", attributes: .concurrent)
      let group = DispatchGroup()
      for _ in 0..<helpers { queue.async(group: group) { job.work() } }
      job.work()
      group.wait()
    } else {
      job.work()
    }
    var tally = try job.finishBlocks()
    var finished = plan.sampleBlocks
    for (number, kernel) in plan.kernels.enumerated() {
      defer { finished += kernel.layout.unitCount }
      tally.operations += kernel.layout.operations
      if number < before.blocks.begun?.part ?? 0 { continue }
      let own = KernelJob(
        kernel, on: problem, into: sink, threads: threads, monitor: monitor, blas: blas,
        finished: finished, of: plan.blockCount,
        progress: KernelProgress(
          of: number, kernel.layout, after: before, job.ledger, earlier: tally))
      do {
        let own = try own.run()
        // Samples that went through blocks were counted there; another kernel's would count twice.
        if plan.sampleBlocks == 0 && number == 0 { job.ledger.add(own.numerics) }
        tally.add(own)
      } catch {
        if error is CancellationError { try own.keepAtCancellation() }
        throw error
      }
    }
    tally.numerics = job.ledger.done.numerics
    // After the kernels: until then what is kept has the sums beside it.
    try job.finishSums()
    let earlier = before.blocks
    var numerics = Numerics(parametersOf: problem.network)
    numerics.add(tally.numerics)
    return ComputationReport(
      seconds: [
        ("forward", earlier.forward + tally.forward.inSeconds),
        ("local gradients", earlier.backward + tally.backward.inSeconds),
        ("contraction and writing", earlier.contraction + tally.contraction.inSeconds),
        ("verification", (verified - start).inSeconds),
        ("wall", earlier.wall + (clock.now - start).inSeconds),
      ], numerics: numerics, verification: verification, kernel: blas.kernel,
      operations: tally.operations
        + plan.operationsPerSample * Double(min(earlier.blocks * plan.blockSamples, plan.batch)))
  }
}

/// What one thread, or all of them together, took and saw.
struct Tally: Sendable {
  /// Stage 1.
  var forward = Duration.zero
  /// Stage 2; of a kernel both.
  var backward = Duration.zero
  /// Stage 3.
  var contraction = Duration.zero
  /// What was seen.
  var numerics = Numerics()
  /// Floating-point operations of what was computed, counted as the plan counts them.
  var operations = 0.0

  /// Adds another's.
  mutating func add(_ other: Tally) {
    forward += other.forward
    backward += other.backward
    contraction += other.contraction
    numerics.add(other.numerics)
    operations += other.operations
  }
}

/// A job whose blocks are being computed: what its threads share.
private final class RunningJob<T: Scalar>: Sendable {
  private let plan: Plan
  private let problem: Problem<T>
  private let sink: any ResultSink
  private let monitor: any ComputationMonitor
  private let blas: BLAS
  /// For each gradient its arrays of sums, if it is summed.
  private let sums: [[OrderedSums<T>]]
  let ledger: Ledger<T>
  private let nextBlock: Atomic<Int>
  private let finishedBlocks: Atomic<Int>
  private let isStopped = Atomic(false)
  private let outcome = Mutex<(tally: Tally, failure: (any Error)?)>((Tally(), nil))

  init(
    _ plan: Plan, on problem: Problem<T>, into sink: any ResultSink,
    monitor: any ComputationMonitor, blas: BLAS, after before: ComputedBefore,
    keeper: (any ProgressKeeper)?
  ) {
    self.plan = plan
    self.problem = problem
    self.sink = sink
    self.monitor = monitor
    self.blas = blas
    let done = before.blocks.blocks
    var rest = before.sums[...]
    sums = plan.sumCounts.map {
      $0.map { OrderedSums(count: $0, after: before.takeSums($0, from: &rest), next: done) }
    }
    ledger = Ledger(after: before.blocks, sums: Array(sums.joined()), keeper: keeper)
    nextBlock = Atomic(done)
    finishedBlocks = Atomic(done)
  }

  /// Takes blocks until there are none, or something went wrong.
  func work() {
    guard nextBlock.load(ordering: .relaxed) < plan.sampleBlocks else { return }
    var passes = Passes(
      plan.stages, on: problem, scratchCount: plan.scratchCount, blas: blas)
    let workspace = Workspace<T>(count: plan.workspaceCount)
    do {
      while !isStopped.load(ordering: .relaxed) {
        let block = nextBlock.add(1, ordering: .relaxed).oldValue
        guard block < plan.sampleBlocks else { break }
        if monitor.isCancelled { throw CancellationError() }
        var tally = Tally()
        passes.numerics = Numerics()
        try compute(block, with: &passes, in: workspace, tally: &tally)
        outcome.withLock { [tally] in $0.tally.add(tally) }
        try ledger.finished(
          block, passes.numerics, next: min(nextBlock.load(ordering: .relaxed), plan.sampleBlocks),
          seconds: { seconds })
        let finished = finishedBlocks.add(1, ordering: .relaxed).newValue
        monitor.finished(blocks: finished, of: plan.blockCount)
      }
    } catch {
      // The failure first: threads that are woken by `abandon` fail too, for no reason of their own.
      outcome.withLock { if $0.failure == nil { $0.failure = error } }
      isStopped.store(true, ordering: .relaxed)
      for sum in sums.joined() { sum.abandon() }
    }
  }

  private var seconds: (forward: Double, backward: Double, contraction: Double) {
    let tally = outcome.withLock { $0.tally }
    return (tally.forward.inSeconds, tally.backward.inSeconds, tally.contraction.inSeconds)
  }

  private func compute(
    _ index: Int, with passes: inout Passes<T>, in workspace: Workspace<T>, tally: inout Tally
  ) throws {
    let first = index * plan.blockSamples
    let samples = first..<min(first + plan.blockSamples, plan.batch)
    let clock = ContinuousClock()
    let start = clock.now
    passes.forward(samples)
    let forwarded = clock.now
    passes.backward(samples)
    let pulledBack = clock.now
    tally.forward += forwarded - start
    tally.backward += pulledBack - forwarded
    defer { tally.contraction += clock.now - pulledBack }
    let stages = plan.stages
    try passes.scratch.divide(at: plan.workStart) { lower, upper in
      let block = Block(samples, of: problem, stages: stages, numbers: lower)
      var rest = upper
      for (g, gradient) in plan.gradients.enumerated() {
        var work = Work(
          rest._mutatingExtracting(rest.indices), tile: plan.tile, share: plan.share,
          workspace: workspace, sums: sums[g], block: index,
          writer: ResultWriter(sink: sink, firstArray: plan.firstArrays[g]))
        try gradient.contract(block, into: &work)
      }
    }
    tally.operations += plan.operationsPerSample * Double(samples.count)
  }

  /// After the last block: throws what stopped the job.
  func finishBlocks() throws -> Tally {
    let (tally, failure) = outcome.withLock { ($0.tally, $0.failure) }
    if failure is CancellationError { try ledger.keepAtCancellation(seconds) }
    if let failure { throw failure }
    return tally
  }

  /// Writes the sums; they are gone then.
  func finishSums() throws {
    for (g, gradient) in plan.gradients.enumerated() {
      let writer = ResultWriter(sink: sink, firstArray: plan.firstArrays[g])
      for (array, sum) in sums[g].enumerated() {
        var values = sum.taken
        var span = values.mutableSpan
        gradient.complete(&span, array: array)
        try writer.write(values.span, array: array, at: 0)
      }
    }
  }
}
