import Synchronization

/// A recurrent job being computed: what its passes over sequences share.
final class RecurrentJob<T: Scalar>: Sendable {
  let problem: RecurrentProblem<T>
  let products: StepProducts
  let sink: any ResultSink
  let monitor: any ComputationMonitor
  private let blockCount: Int
  private let finishedBlocks: Atomic<Int>
  private let isStopped = Atomic(false)
  private let firstFailure = Mutex<(any Error)?>(nil)
  private let seconds = Mutex(RecurrentSeconds())
  private let operationsDone = Mutex(0.0)
  /// The job whose other sequences these are, if they are: it is told what happens.
  private let main: RecurrentJob<T>?

  init(
    _ problem: RecurrentProblem<T>, blocks: Int, finished: Int, into sink: any ResultSink,
    monitor: any ComputationMonitor, blas: BLAS
  ) {
    self.problem = problem
    self.sink = sink
    self.monitor = monitor
    blockCount = blocks
    finishedBlocks = Atomic(finished)
    products = StepProducts(blas: blas)
    main = nil
  }

  /// Other sequences that a gradient of `main` takes.
  init(_ problem: RecurrentProblem<T>, beside main: RecurrentJob<T>) {
    self.problem = problem
    self.main = main
    sink = main.sink
    monitor = main.monitor
    products = main.products
    blockCount = 0
    finishedBlocks = Atomic(0)
  }

  /// Whether the job is to stop.
  var isCancelled: Bool {
    (main ?? self).isStopped.load(ordering: .relaxed) || monitor.isCancelled
  }

  /// Before each window: throws when the job is to stop.
  func checkCancellation() throws { if isCancelled { throw CancellationError() } }

  /// Tells other sequences' threads to stop, and keeps the first reason.
  func stop(because error: any Error) {
    firstFailure.withLock { if $0 == nil { $0 = error } }
    isStopped.store(true, ordering: .relaxed)
  }

  /// What stopped the job, if anything did.
  var failure: (any Error)? { firstFailure.withLock { $0 } }

  /// Tells that so many blocks are done.
  func finished(_ blocks: Int) {
    guard blocks > 0 else { return }
    if let main { return main.finished(blocks) }
    let total = finishedBlocks.add(blocks, ordering: .relaxed).newValue
    monitor.finished(blocks: total, of: blockCount)
  }

  /// Counts floating-point operations of what was computed, as the plan counts them.
  func computed(_ operations: Double) { operationsDone.withLock { $0 += operations } }

  /// All that were counted.
  var operations: Double { operationsDone.withLock { $0 } }

  /// Adds what a stage took.
  func spent(_ stage: RecurrentStage, since start: ContinuousClock.Instant) {
    if let main { return main.spent(stage, since: start) }
    let duration = ContinuousClock.now - start
    seconds.withLock { $0.add(duration, to: stage) }
  }

  /// What the stages took, over all threads that led a sequence.
  var spent: RecurrentSeconds { seconds.withLock { $0 } }
}

/// A stage that is timed.
enum RecurrentStage: Sendable { case forward, backward, contraction }

/// What the stages of a recurrent job took.
struct RecurrentSeconds: Sendable {
  /// Forward passes.
  private(set) var forward = Duration.zero
  /// Rows pulled back.
  private(set) var backward = Duration.zero
  /// Contraction and writing.
  private(set) var contraction = Duration.zero

  /// As numbers of seconds.
  var inSeconds: (forward: Double, backward: Double, contraction: Double) {
    (forward.inSeconds, backward.inSeconds, contraction.inSeconds)
  }

  mutating func add(_ duration: Duration, to stage: RecurrentStage) {
    switch stage {
    case .forward: forward += duration
    case .backward: backward += duration
    case .contraction: contraction += duration
    }
  }
}
