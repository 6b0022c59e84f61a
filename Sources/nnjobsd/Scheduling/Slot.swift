import Dispatch
import Formats
import Processing
import Store
import Synchronization

/// One place for a running job: a serial queue that drives a worker process, kept warm and replaced when it dies.
final class Slot: Sendable {
  /// Why a running job is told to stop.
  enum Told: Sendable {
    /// Its owner or root wants it ended.
    case toCancel
    /// It ran for so many seconds, which is as long as it may.
    case tooLong(Double)
    /// The daemon stops, and the job goes back into the queue.
    case toReturn
  }

  /// Its place among the slots, from 0.
  let index: Int
  private let queue: DispatchQueue
  private let commit: JobCommit
  private let store: JobStore
  private let worker = Mutex<WorkerProcess?>(nil)
  /// How many attempts in a row ended here for want of something.
  private let wants = Atomic<Int>(0)

  init(index: Int, commit: JobCommit, store: JobStore) {
    self.index = index
    self.commit = commit
    self.store = store
    queue = DispatchQueue(label: "nnjobs.slot.\(index)")
  }

  /// Starts a worker before there is work, so that the first job need not wait for it.
  func warmUp() {
    queue.async { [self] in
      do throws(SystemError) { _ = try running() } catch {
        Log.line("slot \(index): \(error.sentence)")
      }
    }
  }

  /// Computes an attempt and commits its end; `told` says, once the worker stopped, why it was told to.
  func run(
    _ job: Job, _ order: WorkOrder, told: @escaping @Sendable () -> Told?,
    done: @escaping @Sendable (Result<JobState, QueueFault>) -> Void
  ) {
    queue.async { [self] in
      let end = attempt(order, told)
      let result = Result { () throws(QueueFault) in
        try commit.end(job, attempt: order.attempt, end)
      }
      // What one job wanted, the next would too: a long queue is not tried through at full speed.
      queue.asyncAfter(deadline: .now() + pause(after: end)) { done(result) }
    }
  }

  /// Seconds before the next attempt: 0, or up to 2 when the last ones found no disk, process or memory.
  private func pause(after end: JobCommit.AttemptEnd) -> Double {
    guard case .failed(let error) = end, error.mayPass else {
      wants.store(0, ordering: .relaxed)
      return 0
    }
    let count = wants.add(1, ordering: .relaxed).oldValue
    return min(2, 0.05 * Double(1 << min(count, 10)))
  }

  /// Asks the worker to stop that job between two blocks.
  func cancel(_ id: Int64) { worker.withLock { $0 }?.cancel(id: id) }

  /// Asks the worker to stop that job between two blocks and to keep what is done.
  func giveBack(_ id: Int64) { worker.withLock { $0 }?.giveBack(id: id) }

  /// Ends the worker process, and with it whatever it computes.
  func kill(_ signal: Int32) { worker.withLock { $0 }?.kill(signal) }

  private func attempt(_ order: WorkOrder, _ told: () -> Told?) -> JobCommit.AttemptEnd {
    let worker: WorkerProcess
    do throws(SystemError) { worker = try running() } catch {
      // Whatever it is, it is no fault of this job's.
      return .failed(JobError(.shortage, error.sentence))
    }
    defer { tellWords(of: worker, order.id) }
    var isOrdered = worker.run(order)
    // It may have been told before there was a worker to tell, or before the worker had the order.
    switch told() {
    case .toReturn: worker.giveBack(id: order.id)
    case nil: break
    default: worker.cancel(id: order.id)
    }
    while isOrdered {
      switch worker.nextReply() {
      case .ready: continue
      case .progress(let blocks, let total):
        // Progress may be lost; a store that cannot take it will say so where it matters.
        _ = try? store.record { (store) throws(StoreError) in
          try store.progress(
            order.id, attempt: order.attempt, Double(blocks) / Double(total))
        }
      case .resumed(let blocks, let total):
        Log.line("resume \(order.id) \(order.name) behind \(blocks) of \(total) blocks")
        _ = try? store.record { (store) throws(StoreError) in
          try store.resumed(
            order.id, attempt: order.attempt, from: Double(blocks) / Double(max(1, total)))
        }
      case .written(let bytes):
        return .written(WrittenResult(partial: order.partial, bytes: bytes))
      case .failed(let error):
        return error.code == .cancelled ? stopped(order, told(), orElse: error) : .failed(error)
      case nil: isOrdered = false
      }
    }
    self.worker.withLock { $0 = nil }
    let end = worker.reap()
    guard let told = told() else { return .died(end) }
    return stopped(
      order, told,
      orElse: JobError(.cancelled, "\(order.name) was cancelled; its worker had to be killed"))
  }

  /// The end of an attempt that stopped because it was told to; `orElse` when it was to be cancelled.
  private func stopped(
    _ order: WorkOrder, _ told: Told?, orElse error: JobError
  ) -> JobCommit.AttemptEnd {
    switch told {
    case .toReturn: .returned
    case .toCancel, nil: .failed(error)
    case .tooLong(let limit):
      .failed(
        JobError(
          .timeLimit,
          "\(order.name) was ended after \(Seconds.text(limit)), its time limit; give it a longer time_limit, or "
            + "split it into several jobs"))
    }
  }

  /// What the worker wrote to its standard error goes to the daemon's, and to the job's log.
  private func tellWords(of worker: WorkerProcess, _ id: Int64) {
    for line in worker.takeWords() {
      Log.line("worker of \(id): \(line)")
      commit.log.note(id, "worker: \(line)")
    }
  }

  private func running() throws(SystemError) -> WorkerProcess {
    if let worker = worker.withLock({ $0 }) { return worker }
    let new = try WorkerProcess()
    worker.withLock { $0 = new }
    return new
  }
}
