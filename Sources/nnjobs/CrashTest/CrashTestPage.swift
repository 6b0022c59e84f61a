import Processing

/// What a crash test found.
struct CrashTestPage: Sendable {
  /// A line for each way.
  let tallies: [CrashTest.Tally]
  /// The folder that the user named.
  let parent: String
  /// Where the cases that failed are kept.
  let folder: String

  /// How often something was killed.
  var kills: Int { tallies.map(\.kills).reduce(0, +) }
  /// How many cases did not end as they must.
  var failures: Int { tallies.map(\.failures.count).reduce(0, +) }

  /// A table, and what it comes to, for people.
  func text(_ terminal: Terminal) -> String {
    var table = Table([
      ("WAY", .left), ("KILLED", .left), ("CALLS", .right), ("KILLS", .right), ("FAILED", .right),
    ])
    for tally in tallies {
      let failed = tally.failures.count
      table.add([
        .init(tally.way.rawValue), .init(tally.way.victim), .init("\(tally.calls)"),
        .init("\(tally.kills)"), .init("\(failed)", failed > 0 ? .red : .green),
      ])
    }
    return table.text(for: terminal) + tallies.map(failures).joined() + sum
  }

  private func failures(of tally: CrashTest.Tally) -> String {
    tally.failures.map { failure in
      let place =
        failure.number == 0
        ? "undisturbed" : "call \(failure.number), \(Wording.visible(failure.call))"
      return "\nfailed: \(tally.way.rawValue): \(place); kept in \(failure.kept)\n"
        + failure.faults.map { "  \(Wording.visible($0))\n" }.joined()
    }.joined()
  }

  private var sum: String {
    let mount = MountTable.ofThisProcess.mount(of: parent)
    let place = "\(parent)" + (mount.map { ", on \($0.type) at \($0.point)" } ?? "")
    guard failures > 0 else {
      return
        "\(Wording.count(kills, "kill")) in \(place): nothing lost, nothing twice, nothing torn\n"
    }
    return "\n\(Wording.count(kills, "kill")) in \(place): \(failures) failed, kept in \(folder)\n"
  }

  /// For programs.
  var json: JSON {
    .object([
      "folder": .text(parent),
      "file_system": .optional(MountTable.ofThisProcess.mount(of: parent)?.type),
      "ways": .list(
        tallies.map { tally in
          .object([
            "way": .text(tally.way.rawValue), "killed": .text(tally.way.victim),
            "calls": .integer(tally.calls), "kills": .integer(tally.kills),
            "failures": .list(
              tally.failures.map { failure in
                .object([
                  "number": .integer(failure.number), "call": .text(failure.call),
                  "faults": .list(failure.faults.map(JSON.text)), "kept": .text(failure.kept),
                ])
              }),
          ])
        }),
    ])
  }
}
