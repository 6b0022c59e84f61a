import Synchronization

extension Computation {
  /// Computes a recurrent job on `threads` threads and hands the results to `sink`.
  ///
  /// Throws `CancellationError` when the monitor says so, what the sink threw, or `BLASError`. Sequences are
  /// divided among threads, and a sequence's rows and columns among those that are left. Sequences that `before` says are
  /// done are not computed again, nor what is done of the next one; progress is kept by `keeper`.
  @specialized(where T == Double)
  @specialized(where T == Float)
  package static func run<T: Scalar>(
    _ plan: RecurrentPlan, on problem: RecurrentProblem<T>, into sink: any ResultSink,
    threads: Int, monitor: any ComputationMonitor, after before: ComputedBefore = .nothing,
    keeper: (any ProgressKeeper)? = nil
  ) throws -> ComputationReport {
    precondition(plan.dtype == T.type, "a problem has the plan's number type")
    precondition(plan.network == problem.network.shape, "a problem has the plan's network")
    precondition(plan.recurrence == problem.recurrence, "a problem has the plan's recurrence")
    precondition(plan.shape == problem.shape, "a problem has the plan's sequences")
    let start = ContinuousClock.now
    let blas = try BLAS.loaded()
    let verification =
      plan.verify
      ? try RecurrentVerification(
        of: problem, strategy: plan.chosen, requests: plan.requests
      ).verification() : nil
    let verified = ContinuousClock.now
    let done = before.blocks.blocks
    let job = RecurrentJob(
      problem, blocks: plan.blockCount, finished: plan.blockCount(of: before.blocks), into: sink,
      monitor: monitor, blas: blas)
    let begun = before.blocks.begun
    var rest = before.sums[...]
    let sums = plan.parts.enumerated().map { p, part in
      let count = part.sumCount
      return count == 0
        ? nil
        : OrderedSums<T>(
          count: count, after: before.takeSums(count, from: &rest),
          next: p < begun?.part ?? 0 ? done + 1 : done)
    }
    let ledger = Ledger(after: before.blocks, sums: sums.compactMap { $0 }, keeper: keeper)
    let taken = Atomic(done)
    let (sequences, each) = plan.division(of: threads)
    let places = (0..<sequences).map { _ in
      SequencePlace<T>(
        workspace: Workspace(count: plan.workspaceCount),
        slots: (0..<each).map { _ in Workspace(count: plan.slotCount) })
    }
    do {
      try Team(threads: sequences).share(plan.shape.batch - done) { number, member in
        let sequence = done + number
        taken.max(sequence + 1, ordering: .relaxed)
        let own = sequence == done ? begun : nil
        var seen = own?.numerics ?? Numerics()
        do {
          for (p, part) in plan.parts.enumerated() where p >= own?.part ?? 0 {
            let progress = PassProgress(
              job: job, ledger: ledger, sequence: sequence, part: p, seen: seen,
              begunAt: p == own?.part ? own?.units ?? 0 : 0, results: before.results,
              sumsBefore: sums.indices.compactMap { other in
                sums[other].map { _ in other < p ? sequence + 1 : sequence }
              }, isKept: plan.isKept(part, length: plan.shape.length(sequence)))
            let numerics = try part.run(
              sequence, of: job, in: places[member], team: Team(threads: each), sums: sums[p],
              counts: p == 0, progress: progress)
            seen.add(numerics)
          }
          job.computed(plan.sequenceOperations[plan.shape.length(sequence)] ?? 0)
          try ledger.finished(
            sequence, seen, next: taken.load(ordering: .relaxed), seconds: { job.spent.inSeconds })
        } catch {
          job.stop(because: error)
          for sums in sums { sums?.abandon() }
          throw error
        }
      }
    } catch {
      let failure = job.failure ?? error
      if failure is CancellationError { try ledger.keepAtCancellation(job.spent.inSeconds) }
      throw failure
    }
    var seen = ledger.done.numerics
    do {
      for kernel in plan.kernels {
        seen.add(
          try kernel.run(
            job, in: places, threadsEach: each,
            counts: plan.parts.isEmpty && kernel.firstArray == plan.kernels[0].firstArray))
      }
      job.computed(plan.kernelOperations)
    } catch {
      let failure = job.failure ?? error
      if failure is CancellationError { try ledger.keepAtCancellation(job.spent.inSeconds) }
      throw failure
    }
    for (part, sums) in zip(plan.parts, sums) {
      if let sums { try part.finish(sums.taken.span, sink: sink) }
    }
    let spent = job.spent.inSeconds
    let earlier = before.blocks
    var numerics = Numerics(parametersOf: problem.network)
    numerics.add(seen)
    return ComputationReport(
      seconds: [
        ("forward", earlier.forward + spent.forward),
        ("local gradients", earlier.backward + spent.backward),
        ("contraction and writing", earlier.contraction + spent.contraction),
        ("verification", (verified - start).inSeconds),
        ("wall", earlier.wall + (ContinuousClock.now - start).inSeconds),
      ], numerics: numerics, verification: verification, kernel: blas.kernel,
      operations: (0..<done).reduce(job.operations) {
        $0 + (plan.sequenceOperations[plan.shape.length($1)] ?? 0)
      })
  }
}

/// The memory in which one sequence at a time is computed.
struct SequencePlace<T: Scalar>: Sendable {
  let workspace: Workspace<T>
  /// One for each thread of a sequence.
  let slots: [Workspace<T>]
}

extension RecurrentPart {
  /// Does this pass over one sequence; returns what the numbers were like if the pass counts them.
  func run<T: Scalar>(
    _ sequence: Int, of job: RecurrentJob<T>, in place: SequencePlace<T>, team: Team,
    sums: OrderedSums<T>?, counts: Bool, progress: PassProgress<T>
  ) throws -> Numerics {
    let workspace = place.workspace
    let length = job.problem.shape.length(sequence)
    var path = Trajectory(
      trajectory, of: sequence, in: job, workspace: workspace, counts: counts)
    switch self {
    case .steps(let layout, let shares):
      try StepPass(
        layout: layout, job: job, gradients: shares.map { ($0.gradient, $0.firstArray) },
        workspace: workspace
      ).run(&path, length: length, progress: progress)
    case .jacobian(let layout, let target, let firstArray):
      try JacobianPass(
        layout: layout, job: job, target: target,
        writer: ResultWriter(sink: job.sink, firstArray: firstArray), team: team,
        workspace: workspace, slots: place.slots
      ).run(&path, length: length, progress: progress)
    case .rows(let layout):
      let consumer = RowConsumer(
        layout, job: job, team: team, workspace: workspace, slot: place.slots[0])
      try JacobianPass(
        layout: layout.jacobian, job: job, target: layout.target, writer: consumer.writer,
        team: team, workspace: workspace, slots: place.slots, consumer: consumer
      ).run(&path, length: length)
    case .pairs(let layout, let firstArray):
      try PairPass(
        layout: layout, job: job, writer: ResultWriter(sink: job.sink, firstArray: firstArray),
        team: team, workspace: workspace, slots: place.slots
      ).run(&path, length: length, progress: progress)
    case .loss(let layout, _):
      try LossPass(layout: layout, job: job, workspace: workspace).run(
        &path, length: length, progress: progress)
    case .vectors(let layout, let firstArray):
      try VectorPass(
        layout: layout, job: job, writer: ResultWriter(sink: job.sink, firstArray: firstArray),
        workspace: workspace
      ).run(&path, length: length)
    }
    if let written = writtenSums {
      let share = workspace.numbers(written.region)
      if let sums {
        guard sums.add(share, ofBlock: sequence) else { throw CancellationError() }
      } else {
        try written.write(share, sequence: sequence, to: job.sink)
      }
    }
    return path.numerics
  }

  /// Writes what was summed over sequences.
  func finish<T: Scalar>(_ sums: Span<T>, sink: any ResultSink) throws {
    try writtenSums?.write(sums, sequence: 0, to: sink)
  }
}
