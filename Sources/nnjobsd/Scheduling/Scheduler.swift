import Dispatch
import Glibc
import Processing
import Store
import Synchronization

/// Decides which job runs where: the first in order starts when a slot, a core, its memory and its disk are free.
///
/// All decisions are made on one serial queue; slots report back to it. Whose turn it is says `JobChoice`.
final class Scheduler: Sendable {
  /// A job that runs.
  private struct Running {
    let job: Job
    let attempt: Int
    let share: Reservation.Share
    /// When it started, Unix seconds.
    let since: Double
    /// Why it was told to stop, if it was.
    var told: Slot.Told?

    var forChoice: JobChoice.Running {
      JobChoice.Running(
        job: job, attempt: attempt,
        use: FairOrder.Use(uid: job.uid, cores: share.cores, since: since))
    }
  }

  private struct State {
    var running: [Int: Running] = [:]
    var reservation: Reservation
    /// Before `start`.
    var isWaiting = true
    var fair: FairOrder
    var isStopping = false
    /// When the queue looks again for jobs whose delay is over, Unix seconds.
    var alarm: Double?
  }

  private let queue = DispatchQueue(label: "nnjobs.scheduler")
  private let slots: [Slot]
  private let state: Mutex<State>
  private let store: JobStore
  private let choice: JobChoice
  private let limits: QueueLimits
  private let folders: QueueFolders
  private let commit: JobCommit
  private let grace: Double
  private let readers: ResultReaders?
  private let checkpoint: Double
  private let owner: String
  private let leave: @Sendable (QueueFault) -> Void
  private let idle = DispatchGroup()

  /// Schedules onto `slots` worker processes; `owner` names this daemon's life, `leave` is called on a fault.
  init(
    slots count: Int, machine: MachineLimits, folders: QueueFolders, store: JobStore,
    commit: JobCommit, limits: QueueLimits, shares: [UInt32: UserShare], grace: Double,
    checkpoint: Double, owner: String, readers: ResultReaders?,
    leave: @escaping @Sendable (QueueFault) -> Void
  ) {
    self.readers = readers
    slots = (0..<count).map { Slot(index: $0, commit: commit, store: store) }
    state = Mutex(State(reservation: Reservation(of: machine), fair: FairOrder(shares)))
    self.store = store
    self.limits = limits
    choice = JobChoice(store: store, limits: limits, results: folders.results)
    self.folders = folders
    self.commit = commit
    self.grace = grace
    self.checkpoint = checkpoint
    self.owner = owner
    self.leave = leave
  }

  /// Starts the workers, then whatever can run.
  func start() {
    let isStopping = state.withLock { state in
      state.isWaiting = false
      return state.isStopping
    }
    if isStopping { return }
    for slot in slots { slot.warmUp() }
    wake()
  }

  /// Looks for jobs that can start: after an admission, a release, a retry.
  func wake() { queue.async { [self] in fill() } }

  /// Answers on the scheduler's own queue, which proves that it makes progress.
  func ping(_ answer: @escaping @Sendable () -> Void) { queue.async(execute: answer) }

  /// Ends a running job: between two blocks, or after the grace by ending its worker.
  func cancel(_ id: Int64) {
    queue.async { [self] in
      guard let slot = mark(id, { $0.told = .toCancel }) else { return }
      slot.cancel(id)
      killAfterGrace(id, slot)
    }
  }

  /// Starts nothing more, takes back what runs, and returns when every slot is free.
  func stop() {
    queue.sync {
      let running = state.withLock { state in
        state.isStopping = true
        return state.running.map { ($0.key, $0.value.job.id) }
      }
      for (index, id) in running {
        _ = mark(id) { $0.told = .toReturn }
        slots[index].giveBack(id)
        killAfterGrace(id, slots[index])
      }
    }
    idle.wait()
    noteShares()
  }

  /// Notes what users have had of the machine; without an fsync's worth of care, since losing it harms nobody.
  func noteShares() {
    let changes = state.withLock { $0.fair.takeChanges() }
    if changes.isEmpty { return }
    try? store.record { (store) throws(StoreError) in try store.note(shares: changes) }
  }

  private func fill() {
    letGoOn()
    while let index = freeSlot, let (job, share) = nextJob() {
      let attempt: Int?
      do throws(StoreError) {
        attempt = try store.record { (store) throws(StoreError) in
          try store.start(job.id, owner: "\(owner)/\(index)", cores: share.cores)
        }
      } catch {
        state.withLock { $0.reservation.giveBack(share) }
        // The next wake tries again.
        if !error.mayPass { leave(.store(error)) }
        return
      }
      guard let attempt else {
        state.withLock { $0.reservation.giveBack(share) }
        continue
      }
      begin(job, attempt, share, on: slots[index])
    }
  }

  /// Lets jobs go on whose delay is over, and wakes when the next one's will be.
  private func letGoOn() {
    do throws(StoreError) {
      let next = try store.record { (store) throws(StoreError) -> Double? in
        guard let end = try store.nextDelayEnd() else { return nil }
        let now = Store.now
        if (now...now + JobDelay.longest).contains(end), end > now { return end }
        _ = try store.letGoOn(at: now)
        return try store.nextDelayEnd()
      }
      setAlarm(next)
    } catch {
      if !error.mayPass { leave(.store(error)) }
    }
  }

  private func setAlarm(_ time: Double?) {
    guard let time else { return }
    let isSet = state.withLock { state in
      defer { state.alarm = min(time, state.alarm ?? time) }
      return state.alarm.map { $0 <= time } ?? false
    }
    if isSet { return }
    // A clock that is set meanwhile is no matter: the inbox wakes the queue every two seconds besides.
    queue.asyncAfter(deadline: .now() + max(0, time - Store.now)) { [self] in
      state.withLock { $0.alarm = nil }
      fill()
    }
  }

  private var freeSlot: Int? {
    state.withLock { state in
      state.isWaiting || state.isStopping ? nil : slots.indices.first { state.running[$0] == nil }
    }
  }

  /// The job whose turn it is, and what it gets; nil when none can start.
  private func nextJob() -> (Job, Reservation.Share)? {
    let (fair, reservation, running) = state.withLock { state in
      (state.fair, state.reservation, state.running.values.map(\.forChoice))
    }
    do throws(StoreError) {
      switch try choice.next(fair, running: running, reservation: reservation) {
      case .start(let job):
        return state.withLock { state in
          state.reservation.take(cores: job.cores, memory: Int(job.memory)).map { (job, $0) }
        }
      case .nothing: return nil
      case .again:
        // Not at once: there may be thousands, and a request to cancel is not to wait for them.
        queue.async { [self] in fill() }
        return nil
      }
    } catch {
      if !error.mayPass { leave(.store(error)) }
      return nil
    }
  }

  private func begin(_ job: Job, _ attempt: Int, _ share: Reservation.Share, on slot: Slot) {
    let running = Running(job: job, attempt: attempt, share: share, since: Store.now)
    state.withLock { $0.running[slot.index] = running }
    idle.enter()
    Log.line(
      "start \(job.id) \(job.name), attempt \(attempt), \(share.cores) cores, slot \(slot.index)")
    commit.log.note(job.id, "attempt \(attempt) starts: \(share.cores) cores, slot \(slot.index)")
    let order = WorkOrder(
      id: job.id, attempt: attempt, name: job.name, file: "\(folders.claimed)/\(job.file)",
      partial: commit.partial(of: job.id, attempt: attempt), threads: share.cores,
      memory: state.withLock { $0.reservation.machine.memory }, checkpoint: checkpoint,
      readers: readers?.list(for: job))
    let told: @Sendable () -> Slot.Told? = { [self] in
      state.withLock { $0.running[slot.index]?.told }
    }
    slot.run(job, order, told: told) { [self] end in
      queue.async { [self] in finished(job, slot, end) }
    }
    if let limit = job.timeLimit { end(job.id, attempt, after: limit, on: slot) }
  }

  /// Ends an attempt that runs for longer than it may, as a cancellation would.
  private func end(_ id: Int64, _ attempt: Int, after limit: Double, on slot: Slot) {
    queue.asyncAfter(deadline: .now() + limit) { [self] in
      guard runs(id, attempt, on: slot) else { return }
      _ = mark(id) { running in running.told = running.told ?? .tooLong(limit) }
      slot.cancel(id)
      killAfterGrace(id, slot)
    }
  }

  private func runs(_ id: Int64, _ attempt: Int, on slot: Slot) -> Bool {
    state.withLock {
      $0.running[slot.index].map { $0.job.id == id && $0.attempt == attempt } ?? false
    }
  }

  private func finished(_ job: Job, _ slot: Slot, _ end: Result<JobState, QueueFault>) {
    state.withLock { state in
      if let running = state.running.removeValue(forKey: slot.index) {
        state.reservation.giveBack(running.share)
        state.fair.count(running.forChoice.use, until: Store.now)
      }
    }
    switch end {
    case .success(let state):
      Log.line("end \(job.id) \(job.name): \(state.rawValue)")
      if state != .succeeded { letGoOn(of: job.uid) }
    case .failure(let fault): leave(fault)
    }
    idle.leave()
    fill()
  }

  /// Lets a user's jobs go on that waited for the room which a job of theirs was promised and has not used.
  private func letGoOn(of uid: UInt32) {
    guard limits.results != nil else { return }
    // One that cannot be told so goes on when its delay is over.
    try? store.record { (store) throws(StoreError) in
      try store.letGoOn(of: uid, waitingFor: ResultRoom.code)
    }
  }

  /// Changes what is known of a running job and gives its slot; nil when it does not run.
  private func mark(_ id: Int64, _ change: (inout Running) -> Void) -> Slot? {
    state.withLock { state in
      guard let index = state.running.first(where: { $0.value.job.id == id })?.key else {
        return nil
      }
      if var running = state.running[index] {
        change(&running)
        state.running[index] = running
      }
      return slots[index]
    }
  }

  /// Ends the worker that does not stop within the grace: politely, and a moment later surely.
  private func killAfterGrace(_ id: Int64, _ slot: Slot) {
    guard let attempt = state.withLock({ $0.running[slot.index]?.attempt }) else { return }
    for (signal, delay) in [(SIGTERM, grace), (SIGKILL, grace + min(1, grace / 2))] {
      queue.asyncAfter(deadline: .now() + delay) { [self] in
        if runs(id, attempt, on: slot) { slot.kill(signal) }
      }
    }
  }
}
