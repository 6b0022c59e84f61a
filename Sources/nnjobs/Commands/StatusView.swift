import CommandLineOptions
import Glibc
import Processing
import Store

/// What `nnjobs status` was asked to show, and how it reads it.
struct StatusView: Sendable {
  private let ids: [Int64]
  private let filter: JobFilter
  /// Whether jobs of others are as if they were not there.
  private let onlyOwn: Bool
  private let isSorted: Bool
  private let limit: Int?

  /// Reads the options.
  init(_ call: Call, states: Set<JobState>) throws(Complaint) {
    let arguments = call.arguments
    ids = try IdList.readAny(arguments.operands)
    var filter = JobFilter()
    filter.states = states
    if let name = arguments.value(Status.user) {
      guard let uid = UserNames.uid(of: name) else {
        throw .option(
          .wrongValue(option: "--user", value: name, expected: "the name or number of a user"))
      }
      filter.uid = uid
    } else if !arguments.has(Status.everyone), !call.isRoot {
      filter.uid = geteuid()
    }
    onlyOwn = try call.showsOnlyOwn()
    if onlyOwn, filter.uid != geteuid() { throw .statusIsOwn }
    if let text = arguments.value(Status.since) {
      guard let since = TimeArgument.moment(text, now: Store.now) else {
        throw .option(
          .wrongValue(option: "--since", value: text, expected: TimeArgument.momentForms))
      }
      filter.since = since
    }
    isSorted = arguments.has(Status.sort)
    if let key = arguments.value(Status.sort) {
      let isTurned = key.hasPrefix("-")
      guard let order = Self.orders[isTurned ? String(key.dropFirst()) : key] else {
        throw .option(
          .wrongValue(
            option: "--sort", value: key,
            expected: Self.orders.keys.sorted().joined(separator: ", ") + ", also as -KEY"))
      }
      filter.order = order
      filter.isDescending = (order != .name) != isTurned
    }
    let given: Int?
    do throws(OptionError) {
      given = try arguments.integer(Status.limit, in: 0...Int.max)
    } catch { throw .option(error) }
    limit = given == 0 ? nil : given ?? (call.has(.json) ? nil : 20)
    filter.limit = limit
    self.filter = filter
  }

  /// What `--sort` takes.
  static let orders: [String: JobFilter.Order] = [
    "id": .id, "name": .name, "priority": .priority, "submitted": .submitted, "started": .started,
    "finished": .finished, "size": .bytes,
  ]

  /// Reads the store and gives the whole output.
  func text(
    _ store: borrowing Store, _ folders: QueueFolders, _ terminal: Terminal, isJSON: Bool
  ) throws -> String {
    let now = Store.now
    let (jobs, totals) = try store.snapshot { store throws(StoreError) in
      (try find(in: store), try store.totals(uid: filter.uid))
    }
    for id in ids where !jobs.contains(where: { $0.id == id }) { throw Complaint.noSuchJob(id) }
    var names = UserNames()
    if isJSON {
      let list = jobs.map {
        JobJSON.object(
          $0, user: names.name(of: $0.uid), resultsFolder: folders.results, now: now)
      }
      return try JSON.document(["jobs": .list(list), "totals": JobJSON.totals(totals)])
    }
    if ids.count == 1 {
      return jobs.map {
        JobPage.text(
          $0, user: names.name(of: $0.uid), resultsFolder: folders.results, now: now,
          terminal: terminal)
      }.joined(separator: "\n")
    }
    let table =
      jobs.isEmpty
      ? ""
      : JobTable.text(
        jobs, names: &names, showsUsers: filter.uid == nil, now: now, terminal: terminal)
    // Of jobs asked for by id nothing more is to be said.
    if !ids.isEmpty { return table }
    return table + (jobs.isEmpty ? "" : "\n") + summary(jobs.count, totals, folders, terminal)
  }

  private func find(in store: borrowing Store) throws(StoreError) -> [Job] {
    if !ids.isEmpty {
      var jobs: [Job] = []
      for id in ids {
        if let job = try store.job(id), !onlyOwn || job.uid == geteuid() { jobs.append(job) }
      }
      return jobs
    }
    if isSorted { return try store.jobs(filter) }

    // What runs, then the queue in its order, then what ended last; a long queue leaves half of the
    // room to what has ended.
    let running = try part([.running], .started, in: store)
    var queued = try part([.queued], .priority, in: store)
    var ended = try part(Set(JobState.allCases.filter(\.isFinal)), .finished, in: store)
    if let limit {
      let room = max(0, limit - running.count)
      queued = Array(queued.prefix(max(room - ended.count, (room + 1) / 2)))
      ended = Array(ended.prefix(room - min(room, queued.count)))
    }
    return running + queued + ended
  }

  private func part(
    _ states: Set<JobState>, _ order: JobFilter.Order, in store: borrowing Store
  ) throws(StoreError) -> [Job] {
    var own = filter
    own.states = filter.states.isEmpty ? states : states.intersection(filter.states)
    own.order = order
    return own.states.isEmpty ? [] : try store.jobs(own)
  }

  private func summary(
    _ shown: Int, _ totals: [JobState: Int], _ folders: QueueFolders, _ terminal: Terminal
  ) -> String {
    var line = JobTable.totals(totals, terminal: terminal)
    let relevant = filter.states.isEmpty ? Set(JobState.allCases) : filter.states
    let count = totals.reduce(0) { relevant.contains($1.key) ? $0 + $1.value : $0 }
    if shown < count, filter.since == nil {
      line += "; \(shown) of \(count) shown, all with --limit 0"
    }
    if !folders.isDaemonRunning {
      line += "\nno daemon runs"
      if let waiting = folders.waitingFiles, waiting > 0 {
        line += "; \(waiting) \(waiting == 1 ? "file waits" : "files wait") in \(folders.jobs)"
      }
    }
    return line + "\n"
  }
}
