import Dispatch
import Formats
import FoundationEssentials
import Glibc
import Processing
import Store
import Synchronization

/// The daemon: recovers the queue, then lets inbox, scheduler and service manager meet.
final class Daemon: Sendable {
  private static let stopSignals = [SIGTERM, SIGINT]

  private let inbox: InboxService
  private let scheduler: Scheduler
  private let notification: ServiceNotification
  private let store: JobStore
  private let retention: RetentionService?
  private let sources = EventSources()

  /// Serves the queue until SIGTERM or SIGINT; gives the exit status when it cannot even start.
  static func serve(_ options: DaemonOptions) -> Int32 {
    EventSources.hold(stopSignals)
    do {
      let environment = ProcessInfo.processInfo.environment
      let settings = try options.settings(environment)
      let folders = try QueueFolders.find(
        jobs: settings.jobs, results: settings.results, state: settings.state, environment: [:],
        configuration: settings)
      let notification = ServiceNotification(environment: environment)
      let lock = try whenThereIsRoom(notification, "make the queue's folders") {
        () throws(QueueError) in
        try folders.prepare()
        return try DaemonLock.take(folders, seconds: Daemon.longestExit)
      }
      // For workers, which inherit it; no other thread reads the environment yet.
      unsafe setenv(ProfilePlace.variable, ProfilePlace.ofQueue(state: folders.state), 0)
      let daemon = try Daemon(folders, settings, notification)
      daemon.start(folders)
      return withExtendedLifetime(lock) { dispatchMain() }
    } catch let error as UsageError {
      Log.line("nnjobsd: \(error.sentence)")
      return 64
    } catch let error as QueueError {
      Log.line("nnjobsd: \(error.sentence)")
      // What a human must put right is no reason to start again: the unit leaves 64 alone.
      return error.isUsage ? 64 : 74
    } catch let error as StoreError {
      Log.line("nnjobsd: \(error.sentence)")
    } catch let error as QueueFault {
      Log.line("nnjobsd: \(error.sentence)")
    } catch {
      Log.line("nnjobsd: \(error)")
    }
    return 74
  }

  private init(
    _ folders: QueueFolders, _ settings: Configuration, _ notification: ServiceNotification
  ) throws {
    let measured = MachineLimits.ofThisMachine()
    let machine = MachineLimits(
      cores: settings.workers ?? measured.cores, memory: settings.memory ?? measured.memory)
    let leave: @Sendable (QueueFault) -> Void = { fault in
      Log.line("nnjobsd: leaving, to start anew: \(fault.sentence)")
      _exit(74)
    }
    let store = try Daemon.whenThereIsRoom(notification, "open the store") {
      () throws(StoreError) in
      JobStore(
        try Store(opening: folders.store, access: .readWrite), insists: true,
        lost: { leave(.store($0)) })
    }
    let commit = JobCommit(folders: folders, store: store)
    let limits = QueueLimits(settings)
    let admission = Admission(
      folders: folders, machine: machine, limits: limits,
      rates: ProfilePlace(environment: ProcessInfo.processInfo.environment, state: nil)
        .profile?.profile.rates)
    let bootID = BootID.current
    let recovery = Recovery(
      admission: admission, store: store, commit: commit, bootID: bootID, log: Log.line)
    let nextID = try Daemon.whenThereIsRoom(notification, "recover") { () throws(QueueFault) in
      try recovery.run()
    }
    let scheduler = Scheduler(
      slots: machine.cores, machine: machine, folders: folders, store: store, commit: commit,
      limits: limits, shares: Daemon.note(machine, limits, in: store), grace: settings.grace ?? 10,
      checkpoint: settings.checkpoint ?? WorkOrder.defaultCheckpoint,
      owner: "\(bootID)/\(UUID().uuidString)",
      readers: try ResultReaders(settings, results: folders.results), leave: leave)
    inbox = InboxService(
      intake: Intake(
        admission: admission, store: store, nextID: nextID,
        patience: settings.patience ?? Intake.defaultPatience, log: Log.line),
      folders: folders, control: Control(folders: folders, store: store), scheduler: scheduler,
      leave: leave)
    retention = Retention(settings).map { [inbox] rule in
      RetentionService(rule, folders: folders, store: store, inbox: inbox, leave: leave)
    }
    self.scheduler = scheduler
    self.notification = notification
    self.store = store
    Log.line(
      "nnjobsd \(Version.current): \(folders.jobs) → \(folders.results), \(machine.cores) workers, "
        + "\(ByteCount.text(machine.memory)) for jobs")
  }

  /// Does a step of the start; while the disk has no room for it, waits, for longer each time, and tries again.
  ///
  /// Opening a store undoes what it began, and recovering twice changes nothing.
  private static func whenThereIsRoom<Value: ~Copyable, Failure: PassingFailure>(
    _ notification: ServiceNotification, _ step: String, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var pause: UInt32 = 1
    while true {
      do throws(Failure) { return try body() } catch {
        guard error.mayPass else { throw error }
        Log.line("waiting to \(step): \(error.sentence)")
        notification.starting("waiting to \(step): \(error.sentence)", seconds: 90)
        rest(pause)
        pause = min(2 * pause, longestPause)
      }
    }
  }

  /// Waits so many seconds; ends the process when it is told to stop meanwhile.
  private static func rest(_ seconds: UInt32) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in stopSignals { unsafe sigaddset(&signals, number) }
    var time = timespec(tv_sec: Int(seconds), tv_nsec: 0)
    guard unsafe sigtimedwait(&signals, nil, &time) > 0 else { return }
    Log.line("nnjobsd: stopping; it had not begun")
    exit(0)
  }

  /// Seconds that the lock of a daemon which has just ended may still be held, by a worker it was starting.
  private static let longestExit = 2.0

  /// Seconds between two tries of a start that waits for room, at most.
  private static let longestPause: UInt32 = 30

  /// Notes what there is to share, for readers; gives what users have had of it so far.
  private static func note(
    _ machine: MachineLimits, _ limits: QueueLimits, in store: JobStore
  ) -> [UInt32: UserShare] {
    let settings = QueueSettings(machine: machine, limits: limits)
    // It is for information: a queue that cannot note it works as well.
    return
      (try? store.record { (store) throws(StoreError) in
        try store.note(settings: settings.values)
        return try store.shares()
      }) ?? [:]
  }

  private func start(_ folders: QueueFolders) {
    let profiles = ProfilePlace(environment: ProcessInfo.processInfo.environment, state: nil)
    // Beside: the inbox takes jobs meanwhile, and they start once their kernels are chosen.
    DispatchQueue.global().async { [scheduler] in
      profiles.measure(results: folders.results) { Log.line("nnjobsd: \($0)") }
      scheduler.start()
    }
    inbox.start()
    for signal in Daemon.stopSignals { stop(on: signal) }
    every(2) { [self] in tellStatus() }
    every(10) { [scheduler] in scheduler.noteShares() }
    if let interval = notification.watchdogInterval {
      every(Double(interval) * 1e-9 / 3) { [self] in proveProgress() }
    }
    if let retention {
      sources.every(RetentionService.interval, after: 0, on: .global()) { retention.look() }
    }
    notification.ready()
    tellStatus()
  }

  /// The ping goes through both queues on which the daemon decides: a stuck one is noticed.
  private func proveProgress() {
    scheduler.ping { [inbox, notification] in inbox.perform { notification.watchdog() } }
  }

  private func tellStatus() {
    let totals = try? store.record { (store) throws(StoreError) in try store.totals() }
    guard let totals else { return }
    let words = JobState.allCases.compactMap { state in
      totals[state].flatMap { $0 > 0 ? "\($0) \(state.rawValue)" : nil }
    }
    notification.status(words.isEmpty ? "no jobs yet" : words.joined(separator: ", "))
  }

  private func stop(on signal: Int32) {
    sources.signal(signal) { [self] in
      Log.line("nnjobsd: stopping; what runs goes back into the queue")
      notification.stopping()
      store.giveUp()
      inbox.stop()
      scheduler.stop()
      // A reader without the right to write can then read the file alone.
      try? store.record { (store) throws(StoreError) in try store.checkpoint() }
      exit(0)
    }
  }

  private func every(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
    sources.every(seconds, after: seconds, on: .global(), body)
  }
}
