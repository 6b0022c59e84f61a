import CommandLineOptions
import Processing
import Store

/// `nnjobs why`: everything that keeps a job from running, or why it ended as it did.
enum Why: Command {
  static let name = "why"
  static let summary = "every reason a job does not run, or why it failed, with the cure"
  static let operands = "ID…"
  static let options = [Option.json]
  static let notes = """
    Everything that stands in a waiting job's way is listed at once, with numbers: a hold, a delay,
    cores, memory, disk, limits, what goes first.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let ids = try IdList.read(call.arguments.operands, command: name)
    let folders = try call.folders()
    let store = try folders.openStore()
    let terminal = try Terminal(1, call: call)
    var list: [JSON] = []
    for id in ids {
      let now = Store.now
      let (job, obstacles) = try store.snapshot { (store) throws(StoreError) in
        guard let job = try store.job(id) else { return (nil as Job?, [Obstacle]()) }
        return (job, try Obstacle.all(for: job, in: store, folders, now: now))
      }
      guard let job, try call.isVisible(job) else { throw Complaint.noSuchJob(id) }
      if call.has(.json) {
        list.append(
          .object([
            "id": .integer(id), "state": .text(job.state.rawValue),
            "reasons": .list(obstacles.map(\.json)),
          ]))
      } else {
        try Output.standardOutput(text(job, obstacles, terminal))
      }
    }
    if call.has(.json) { try Output.standardOutput(try JSON.document(["jobs": .list(list)])) }
    return .done
  }

  private static func text(_ job: Job, _ obstacles: [Obstacle], _ terminal: Terminal) -> String {
    let state = terminal.text(job.state.rawValue, job.state.colouring)
    let head =
      "job \(job.id) (\(Wording.visible(job.name))) \(Wording.verb(of: job.state)) \(state)"
    if obstacles.isEmpty {
      let rest =
        switch job.state {
        case .queued: ": nothing stands in its way, it starts next"
        case .running:
          ", attempt \(job.attempts), on \(job.grantedCores) "
            + (job.grantedCores == 1 ? "core" : "cores")
        default: job.result.map { ", its result is \($0)" } ?? ""
        }
      return head + rest + "\n"
    }
    let width = obstacles.map(\.code.count).max() ?? 0
    return head + "\n"
      + obstacles.map { obstacle in
        let padding = String(repeating: " ", count: width - obstacle.code.count + 2)
        return "  " + terminal.text(obstacle.code, .faint) + padding + obstacle.text + "\n"
          + String(repeating: " ", count: width + 4) + "→ " + obstacle.cure + "\n"
      }.joined()
  }
}
