import Dispatch
import Formats
import Glibc
import Processing
import Store
import Synchronization

/// Watches and scans the inbox on a queue of its own: admits files, carries out control requests.
final class InboxService: Sendable {
  /// Seconds between two scans, which find what no event told of.
  static let scanInterval = 2.0

  private struct State: ~Copyable {
    var intake: Intake
    var watch: InboxWatch?
    var isStopped = false
  }

  private let queue = DispatchQueue(label: "nnjobs.inbox")
  private let state: Mutex<State>
  private let sources = EventSources()
  private let folders: QueueFolders
  private let control: Control
  private let scheduler: Scheduler
  private let leave: @Sendable (QueueFault) -> Void

  init(
    intake: consuming sending Intake, folders: QueueFolders, control: Control, scheduler: Scheduler,
    leave: @escaping @Sendable (QueueFault) -> Void
  ) {
    self.folders = folders
    self.control = control
    self.scheduler = scheduler
    self.leave = leave
    state = Mutex(State(intake: intake, watch: nil))
  }

  /// Starts watching, then scans once and ever again.
  func start() {
    let descriptor = state.withLock { state -> Int32? in
      do throws(SystemError) {
        let watch = try InboxWatch(folders.jobs)
        let descriptor = watch.descriptor
        state.watch = consume watch
        return descriptor
      } catch {
        Log.line("\(error.sentence); the inbox is scanned every \(InboxService.scanInterval) s")
        return nil
      }
    }
    if let descriptor { sources.reading(descriptor, on: queue) { [self] in hear() } }
    sources.every(InboxService.scanInterval, after: 0, on: queue) { [self] in scan() }
  }

  /// Takes nothing more in; returns when what is being taken in is recorded.
  func stop() {
    sources.cancel()
    state.withLock { $0.isStopped = true }
    queue.sync {}
  }

  /// Does something on the inbox's own queue, between two of its steps; that it comes to it proves that it makes progress.
  func perform(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

  private func hear() {
    state.withLock { state in
      guard let news = state.watch?.news() else { return }
      state.intake.hear(of: news.names)
      if news.mustScan { state.intake.scan() }
    }
    takeBatch()
  }

  private func scan() {
    state.withLock { state in
      if let isWatched = state.watch?.renew(), !isWatched {
        Log.line("the inbox \(folders.jobs) is gone; waiting for it to be made again")
      } else {
        state.intake.scan()
      }
    }
    takeBatch()
  }

  /// Takes in one batch and leaves the queue to others before the next one.
  private func takeBatch() {
    do throws(QueueFault) {
      let (requests, isDone) = try state.withLock {
        (state) throws(QueueFault) -> ([ControlRequest], Bool) in
        if state.isStopped { return ([], true) }
        return (try state.intake.takeBatch(), state.intake.isIdle)
      }
      for request in requests { try control.carryOut(request, scheduler) }
      scheduler.wake()
      if !isDone { queue.async { [self] in takeBatch() } }
    } catch {
      guard error.mayPass else { return leave(error) }
      // A request keeps its file until it is carried out: the next scan finds it again.
      Log.line("later: \(error.sentence)")
    }
  }
}
