import CommandLineOptions
import Formats
import Glibc
import Processing
import Store

/// `nnjobs status`: what runs, what waits, what ended; or everything about one job.
enum Status: Command {
  static let name = "status"
  static let summary = "what runs, waits and ended; with ID, everything about it"
  static let operands = "[ID…]"
  static let states = Option(
    "state", value: "STATES", "only these states, as running,queued; a folder is the queue's state",
    choices: JobState.allCases.map(\.rawValue))
  static let user = Option("user", value: "NAME", "only this user's jobs")
  static let since = Option(
    "since", value: "TIME", "only what was submitted since, as 2h or 2026-01-31")
  static let sort = Option(
    "sort", value: "KEY", "id, name, priority, submitted, started, finished or size; -KEY turns it",
    choices: StatusView.orders.keys.sorted())
  static let limit = Option("limit", letter: "n", value: "COUNT", "at most so many; 0 means all")
  static let everyone = Option("all-users", letter: "a", "everybody's jobs, not only one's own")
  static let watch = Option("watch", letter: "w", "show it again and again, until interrupted")
  static let options = [states, user, since, sort, limit, everyone, watch, Option.json]
  static let notes = """
    Without --sort it shows what runs, then the queue in its order, then what ended last: 20 jobs
    at most, all of them with --json. Users other than root see their own jobs unless they ask for more.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let (stateNames, stateFolder) = try split(call.arguments.values(states))
    let view = try StatusView(call, states: stateNames)
    let folders = try call.folders(state: stateFolder ?? call.globals.value(.state))
    let terminal = try Terminal(1, call: call)
    let isJSON = call.has(.json)

    let store = try folders.openStore()
    guard call.arguments.has(watch) else {
      try Output.standardOutput(try view.text(store, folders, terminal, isJSON: isJSON))
      return .done
    }
    let clears = terminal.columns != nil && !isJSON
    var shown = ""
    while true {
      let text = try view.text(store, folders, terminal, isJSON: isJSON)
      if clears {
        // Home, each line cleared to its end, then everything below: no flicker.
        let lines = text.replacing("\n", with: "\u{1B}[K\n")
        try Output.standardOutput((shown.isEmpty ? "\u{1B}[2J" : "") + "\u{1B}[H\(lines)\u{1B}[J")
      } else if text != shown {
        try Output.standardOutput(text)
      }
      shown = text
      usleep(clears ? 250_000 : 100_000)
    }
  }

  /// `--state` is two things: names of states here, and the queue's state folder everywhere.
  static func split(_ values: [String]) throws(Complaint) -> (Set<JobState>, folder: String?) {
    var states: Set<JobState> = []
    var folder: String?
    for value in values {
      let words = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      let known = words.compactMap { JobState(rawValue: $0) }
      if known.count == words.count {
        states.formUnion(known)
      } else if isPath(value) {
        folder = value
      } else {
        let near = words.first { JobState(rawValue: $0) == nil }
          .flatMap { Suggestion.nearest(to: $0, among: JobState.allCases.map(\.rawValue)) }
        throw .option(
          .wrongValue(
            option: "--state", value: value,
            expected: near.map { "\($0), for instance" }
              ?? JobState.allCases.map(\.rawValue).joined(separator: ", ") + ", or a folder"))
      }
    }
    return (states, folder)
  }

  private static func isPath(_ text: String) -> Bool {
    text.contains("/") ? true : unsafe access(text, F_OK) == 0
  }
}
