import CommandLineOptions
import Glibc
import Processing
import Store

/// The configuration, where the queue's folders come from, its store and its daemon.
enum QueueExamination {
  /// Looks at the queue that is meant; the folders are nil where none is found.
  static func diagnoses(_ call: Call) -> (folders: QueueFolders?, diagnoses: [Diagnosis]) {
    let settings: Configuration
    var diagnoses: [Diagnosis] = []
    let file = call.environment["NNJOBS_CONFIG"] ?? Configuration.defaultPath
    do throws(QueueError) {
      settings = try Configuration(environment: call.environment)
      let isThere = unsafe access(file, R_OK) == 0
      diagnoses.append(.ok("configuration", isThere ? file : "none, \(file) is not there"))
    } catch {
      return (
        nil,
        [
          .problem(
            "configuration", error.sentence,
            cure: "put \(file) right, or name another in NNJOBS_CONFIG"
          )
        ]
      )
    }
    let folders: QueueFolders
    do throws(QueueError) { folders = try call.folders() } catch {
      diagnoses.append(
        .warning(
          "queue", error.sentence,
          cure: "go to the queue's folder, or make jobs/ and results/ and start nnjobsd there"))
      return (nil, diagnoses)
    }
    for (role, path, option, setting) in [
      ("jobs", folders.jobs, Option.jobs, settings.jobs),
      ("results", folders.results, Option.results, settings.results),
      ("state", folders.state, Option.state, settings.state),
    ] {
      let source =
        call.value(option) != nil
        ? "from --\(role)"
        : call.environment["NNJOBS_" + role.uppercased()] != nil
          ? "from NNJOBS_\(role.uppercased())"
          : setting != nil ? "from \(file)" : "in the current folder"
      diagnoses += FolderExamination.diagnoses(path, role: role, source: source)
    }
    diagnoses += FolderExamination.relations(folders)
    diagnoses += [store(folders)] + results(folders) + [service(folders)]
    return (folders, diagnoses)
  }

  private static func store(_ folders: QueueFolders) -> Diagnosis {
    do throws(StoreError) {
      let store = try folders.openStore()
      try store.check()
      let jobs = try store.totals().values.reduce(0, +)
      return .ok(
        "store",
        "\(folders.store), schema version \(Store.schemaVersion), sound, "
          + Wording.count(jobs, "job"))
    } catch {
      // Before the first daemon there is none, and nothing is wrong.
      if error.kind == .missing { return .ok("store", "none yet; the daemon makes it") }
      if error.kind == .notPermitted {
        return .warning(
          "store", error.sentence, cure: "ask as its owner, as root or from the group")
      }
      return .problem("store", error.sentence, cure: "see `nnjobs fsck`")
    }
  }

  /// What users' results take of what they may, where that is limited.
  private static func results(_ folders: QueueFolders) -> [Diagnosis] {
    guard let store = try? folders.openStore(),
      let settings = (try? store.settings()).flatMap({ QueueSettings($0) }),
      let limit = settings.userResults, let all = try? store.resultBytes()
    else { return [] }
    let bound = all.filter { !settings.limits.isExempt($0.key) }
    let text = "those of one user may take \(ByteCount.text(limit))"
    guard let most = bound.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else {
      return [.ok("user results", "\(text); no user who is limited has any")]
    }
    var names = UserNames()
    let words = "the most is \(names.name(of: most.key))'s, \(Wording.bytes(most.value))"
    guard most.value > Int64(Double(limit) * 0.9) else {
      return [.ok("user results", "\(text); \(words)")]
    }
    return [
      .warning(
        "user results", "\(text); \(words)",
        cure: "nnjobs clean --with-results makes room, or raise user_results in the configuration")
    ]
  }

  private static func service(_ folders: QueueFolders) -> Diagnosis {
    let unit = [
      "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
      "/lib/systemd/system",
    ].map { $0 + "/nnjobs.service" }.first { unsafe access($0, F_OK) == 0 }
    let installed = unit.map { "; the unit is \($0)" } ?? "; no systemd unit is installed"
    if folders.isDaemonRunning { return .ok("service", "nnjobsd serves this queue" + installed) }
    let waiting = folders.waitingFiles.map { ", \(Wording.count($0, "file")) wait in the inbox" }
    return .warning(
      "service", "no daemon serves this queue" + (waiting ?? "") + installed,
      cure: unit == nil ? "start nnjobsd in the queue's folder" : "systemctl start nnjobs")
  }
}
