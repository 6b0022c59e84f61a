import Processing
import Store

/// One thing that keeps a job from running, or why it ended: with its numbers and its cure.
struct Obstacle: Hashable, Sendable {
  /// A word for programs.
  let code: String
  /// What it is, with numbers.
  let text: String
  /// What would cure it.
  let cure: String

  /// As programs read it.
  var json: JSON {
    .object(["code": .text(code), "text": .text(text), "cure": .text(cure)])
  }
}

extension Obstacle {
  /// Everything that keeps a job from running, or why it ended; empty when nothing does.
  static func all(
    for job: Job, in store: borrowing Store, _ folders: QueueFolders, now: Double
  ) throws(StoreError) -> [Obstacle] {
    switch job.state {
    case .queued:
      var all = ofItsOwn(job, folders, now: now)
      let running = try store.running()
      let settings = QueueSettings(try store.settings())
      if let settings {
        all += ofTheMachine(job, running, settings)
        if let obstacle = try ofTheResults(job, settings.limits, in: store, folders) {
          all.append(obstacle)
        }
      }
      if let obstacle = ofTheDisk(job, running, folders) { all.append(obstacle) }
      if !job.isHeld, job.notBefore == nil {
        all += try ofTheOrder(job, running, in: store, settings, now: now)
      }
      return all
    case .running, .succeeded: return []
    case .failed, .cancelled, .refused: return [end(of: job)]
    }
  }

  /// No daemon, a hold, a delay.
  private static func ofItsOwn(_ job: Job, _ folders: QueueFolders, now: Double) -> [Obstacle] {
    var found: [Obstacle] = []
    if !folders.isDaemonRunning {
      found.append(
        Obstacle(
          code: "no-daemon", text: "no daemon holds \(folders.lock)", cure: "start nnjobsd"))
    }
    if job.isHeld {
      found.append(
        Obstacle(
          code: "held", text: "its owner or root holds it", cure: "nnjobs release \(job.id)"))
    }
    if let end = job.notBefore {
      let times = job.delays == 1 ? "once" : "\(job.delays) times"
      let reason = Wording.visible(job.reasonText ?? "no reason given")
      found.append(
        Obstacle(
          code: job.reasonCode ?? "put-off",
          text:
            "it was put off, \(times) so far, for \(Wording.duration(end - now)) more: \(reason)",
          cure: "it is tried again by itself; nnjobs release \(job.id) tries it at once"))
    }
    return found
  }

  /// Cores and memory that are not free, and a user who runs as many as they may.
  private static func ofTheMachine(
    _ job: Job, _ running: [Job], _ settings: QueueSettings
  ) -> [Obstacle] {
    var found: [Obstacle] = []
    let machine = settings.machine
    let cores = running.reduce(0) { $0 + max(1, $1.grantedCores) }
    let memory = running.reduce(0) { $0 + Int($1.memory) }
    let list = running.map { "\($0.id)" }.joined(separator: ", ")
    if cores >= machine.cores {
      found.append(
        Obstacle(
          code: "cores",
          text:
            "all \(machine.cores) cores are in use, by \(running.count == 1 ? "job" : "jobs") \(list)",
          cure: "it starts when one is free"))
    }
    if memory > 0, Int(job.memory) > machine.memory - memory {
      found.append(
        Obstacle(
          code: "memory",
          text: "it needs \(Wording.bytes(job.memory)) of memory; running jobs have "
            + "\(ByteCount.text(memory)) of the \(ByteCount.text(machine.memory)) that jobs may use",
          cure: "it starts when enough is free, and is not overtaken meanwhile"))
    }
    let own = running.count { $0.uid == job.uid }
    if let most = settings.userRunning, !settings.limits.mayRun(job.uid, besides: own) {
      found.append(
        Obstacle(
          code: "user-running",
          text: "its user runs \(own) of the \(most) jobs that one user may run at once",
          cure: "it starts when one of them has ended"))
    }
    return found
  }

  /// What its user's results take, where that leaves it no room.
  private static func ofTheResults(
    _ job: Job, _ limits: QueueLimits, in store: borrowing Store, _ folders: QueueFolders
  ) throws(StoreError) -> Obstacle? {
    let found = try ResultRoom.lacking(for: job, limits, in: store, results: folders.results)
    guard let room = found?.room, !room.holds(job) else { return nil }
    return Obstacle(code: ResultRoom.code, text: room.words(for: job), cure: room.cure(for: job))
  }

  private static func ofTheDisk(
    _ job: Job, _ running: [Job], _ folders: QueueFolders
  ) -> Obstacle? {
    let promises = running.map { DiskRoom.Promise(to: $0, attempt: $0.attempts) }
    guard
      let room = try? DiskRoom(of: folders.results, promises: promises, for: Int(job.disk)),
      !room.holds(job, keptIn: folders.results)
    else { return nil }
    let promised =
      room.promised > 0 ? ", of which running jobs will take \(ByteCount.text(room.promised))" : ""
    return Obstacle(
      code: JobError.Code.diskFull.rawValue,
      text: "its results take \(Wording.bytes(job.disk)), and \(folders.results) has "
        + "\(ByteCount.text(room.free)) free\(promised)",
      cure: "make room: remove results that are no longer needed")
  }

  /// What goes first although nothing else stands in the way.
  private static func ofTheOrder(
    _ job: Job, _ running: [Job], in store: borrowing Store, _ settings: QueueSettings?, now: Double
  ) throws(StoreError) -> [Obstacle] {
    var found: [Obstacle] = []
    let before = try store.readyBefore(job)
    if before.higherPriority > 0 {
      found.append(
        Obstacle(
          code: "priority",
          text: "ready jobs of a higher priority than its \(job.priority): "
            + Wording.grouped(before.higherPriority),
          cure: "it starts after them"))
    }
    let uses = running.map {
      FairOrder.Use(uid: $0.uid, cores: max(1, $0.grantedCores), since: $0.started ?? now)
    }
    let heads = try store.readyHeads(atMost: job.priority)
    let order = FairOrder(try store.shares()).order(heads, running: uses, at: now)
    let users = order.prefix { $0.uid != job.uid }.count
    if heads.first?.priority == job.priority, users > 0 {
      found.append(
        Obstacle(
          code: "share",
          text: "users who have had less of the machine lately, and whose jobs go first: \(users)",
          cure: "its user's turn comes; the shares are in docs/operations.md"))
    }
    if before.own > 0 {
      found.append(
        Obstacle(
          code: "own-jobs",
          text: "its user's own ready jobs of the same priority before it: "
            + Wording.grouped(before.own),
          cure: "it starts after them; hold or cancel some to let it pass"))
    }
    return found
  }

  private static func end(of job: Job) -> Obstacle {
    let text = Wording.visible(job.reasonText ?? job.reasonCode ?? "no reason given")
    let code = job.reasonCode ?? job.state.rawValue
    let cure =
      switch (job.state, JobError.Code(rawValue: code)) {
      case (.refused, _), (_, .invalid), (_, .incomplete):
        "put the file right and submit it"
      case (.cancelled, _): "nnjobs retry \(job.id) computes it after all"
      case (_, .timeLimit): "submit it with a longer time_limit, or split it into several jobs"
      case (_, .doesNotFit): "ask for fewer gradients, outputs or samples, or split it"
      case (_, .verification): "look at its network and inputs; nnjobs check shows the plan"
      default: "nnjobs retry \(job.id) computes it again"
      }
    return Obstacle(code: code, text: text, cure: cure)
  }
}
