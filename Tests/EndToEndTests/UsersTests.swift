import Foundation
import Store
import TestSupport
import Testing

/// Real users of this machine, made for one test and removed with it: the service's, two members of its group and a reader.
private final class TemporaryUsers {
  /// The names, all alike but for the last letter.
  let service: String, alice: String, bob: String, reader: String
  /// The group of the service, alice and bob.
  let group: String
  private let folder: TemporaryFolder

  init(_ folder: TemporaryFolder) async throws {
    self.folder = folder
    let stem = "nnjt\(getpid())"
    (service, alice, bob, reader) = (stem + "s", stem + "a", stem + "b", stem + "r")
    group = stem + "g"
    try await run("/usr/sbin/groupadd", ["--system", group])
    for name in [service, alice, bob] {
      try await run("/usr/sbin/useradd", ["--system", "--no-create-home", "--gid", group, name])
    }
    try await run("/usr/sbin/useradd", ["--system", "--no-create-home", "--user-group", reader])
    try await run("/usr/sbin/usermod", ["--append", "--groups", group, reader])
  }

  deinit {
    for name in [service, alice, bob, reader] {
      let removal = Process()
      removal.executableURL = URL(filePath: "/usr/sbin/userdel")
      removal.arguments = [name]
      removal.standardError = FileHandle.nullDevice
      try? removal.run()
      removal.waitUntilExit()
    }
    let removal = Process()
    removal.executableURL = URL(filePath: "/usr/sbin/groupdel")
    removal.arguments = [group]
    removal.standardError = FileHandle.nullDevice
    try? removal.run()
    removal.waitUntilExit()
  }

  /// Runs a program as root; it must succeed.
  func run(_ program: String, _ arguments: [String]) async throws {
    let run = try await ProgramRun(program, arguments, in: folder)
    try #require(run.status == 0, "\(program) \(arguments): \(run.errors)")
  }
}

extension EndToEnd {
  @Suite(
    .enabled(
      if: geteuid() == 0 && Binaries.ofSystem("setpriv") != nil
        && FileManager.default.isExecutableFile(atPath: "/usr/sbin/useradd"),
      "only root can make users, by useradd, and be them, by setpriv"))
  struct `Several users` {
    @Test(.timeLimit(.minutes(3)))
    func `keep their jobs and results from each other, and rule their own only`() async throws {
      let queue = try TestQueue()
      let users = try await TemporaryUsers(queue.folder)
      let place = queue.folder
      for (name, mode) in [("jobs", "3730"), ("results", "2750"), (".nnjobs", "2750")] {
        try? FileManager.default.createDirectory(
          atPath: place(name), withIntermediateDirectories: false)
        try await users.run("/usr/bin/chown", ["\(users.service):\(users.group)", place(name)])
        try await users.run("/usr/bin/chmod", [mode, place(name)])
      }
      // What runs as somebody else writes its output through a descriptor of root's.
      try await users.run("/usr/bin/chmod", ["755", place.path])
      let setpriv = try #require(Binaries.ofSystem("setpriv"))
      func act(_ user: String, _ words: String...) async throws -> ProgramRun {
        let group = user == users.reader ? user : users.group
        return try await ProgramRun(
          setpriv, ["--reuid", user, "--regid", group, "--init-groups"] + words, in: place)
      }
      func nnjobs(_ user: String, _ words: String...) async throws -> ProgramRun {
        let group = user == users.reader ? user : users.group
        return try await ProgramRun(
          setpriv,
          ["--reuid", user, "--regid", group, "--init-groups", Binaries.nnjobs] + words, in: place)
      }
      let daemon = try await RunningDaemon(
        on: queue, ["--workers", "1", "--results-group", users.reader],
        through: [
          "/bin/sh", "-c", "umask 027; exec \"$@\"", "sh", setpriv, "--reuid", users.service,
          "--regid", users.group, "--init-groups",
        ])
      try place.write(BadFile.good, to: "good.json")

      // 1. alice's job is hers, and its result is read by her and the group that may, by nobody else.
      let submitted = try await nnjobs(users.alice, "submit", "good.json")
      #expect(submitted.status == 0 && submitted.output == "1\n", "1: \(submitted)")
      #expect(try await nnjobs(users.alice, "wait", "1").status == 0, "1: \(queue.log)")
      let array = place("results/good/outputs.npy")
      #expect(try await act(users.alice, "/bin/cat", array).status == 0, "1")
      #expect(try await act(users.reader, "/bin/cat", array).status == 0, "1")
      #expect(try await act(users.bob, "/bin/cat", array).status != 0, "1")
      #expect(try await nnjobs(users.alice, "result", "1").status == 0, "1")
      #expect(try await nnjobs(users.bob, "result", "1").status == 74, "1")

      // 2. What waits is not seen or read by others: not listed, and unreadable under a name that is known.
      try await daemon.end(SIGTERM)
      #expect(try await nnjobs(users.alice, "submit", "good.json").status == 0, "2")
      #expect(try await act(users.bob, "/bin/ls", place("jobs")).status != 0, "2")
      #expect(try await act(users.bob, "/bin/cat", place("jobs/good.json")).status != 0, "2")
      #expect(try await act(users.bob, "/bin/rm", "-f", place("jobs/good.json")).status != 0, "2")
      #expect(try await act(users.service, "/bin/cat", place("jobs/good.json")).status == 0, "2")
      let next = try await RunningDaemon(
        on: queue, ["--workers", "1", "--results-group", "none"],
        through: [
          "/bin/sh", "-c", "umask 027; exec \"$@\"", "sh", setpriv, "--reuid", users.service,
          "--regid", users.group, "--init-groups",
        ])
      try await eventually("it is taken") { try queue.job(2) != nil }
      #expect(try await nnjobs(users.alice, "wait", "2").status == 0, "2")
      let second = place("results/good-2/outputs.npy")
      #expect(try await act(users.alice, "/bin/cat", second).status == 0, "2")
      #expect(try await act(users.reader, "/bin/cat", second).status != 0, "2")
      #expect(try await act(users.bob, "/bin/ls", place(".nnjobs/claimed")).status != 0, "2")
      #expect(try await act(users.bob, "/bin/ls", place("jobs/refused")).status != 0, "2")

      // 3. Only the owner and root rule a job, whoever writes the request.
      try queue.drop(JobText.endless.sparse, as: "endless.safetensors")
      try await queue.wait(for: "endless", [.running])
      let refusals = [("cancel", "3"), ("remove", "1"), ("retry", "1")]
      for (verb, id) in refusals {
        let run = try await nnjobs(users.bob, verb, id)
        #expect(run.status == 5, "3: \(run)")
        // Past the command line's own check, by the file itself.
        let forged = place("jobs/.\(verb)-\(id)")
        #expect(try await act(users.bob, "/usr/bin/touch", forged).status == 0, "3")
        try await eventually("the daemon answers") { !queue.isThere("jobs/.\(verb)-\(id)") }
      }
      #expect(queue.log.split(separator: "not permitted").count == 4, "3: \(queue.log)")
      #expect(try queue.job(3)?.state == .running && queue.job(1) != nil, "3")
      try queue.ask("cancel", 3)
      try await queue.wait(for: "endless", [.cancelled])

      // 4. Everybody sees how the queue stands, and cleans no more than their own.
      let all = try await nnjobs(users.bob, "status", "--all-users")
      #expect(all.status == 0 && all.output.contains(users.alice), "4: \(all)")
      try place.write("status_visible = own\n", to: "own.conf")
      for verb in ["why", "logs", "follow", "status"] {
        for (user, status) in [(users.alice, Int32(2)), (users.service, 2), (users.bob, 2)] {
          let run = try await act(
            user, "/usr/bin/env", "NNJOBS_CONFIG=own.conf", Binaries.nnjobs, verb, "3")
          #expect(run.status == status && run.output == "", "4: \(verb): \(run)")
        }
      }
      #expect(
        try await act(
          users.alice, "/usr/bin/env", "NNJOBS_CONFIG=own.conf", Binaries.nnjobs, "why", "1"
        ).status == 0, "4")
      // What the daemon would refuse, submit does: more than all results of one user may take.
      try place.write("user_results = 1KiB\n", to: "small.conf")
      let large = try await act(
        users.bob, "/usr/bin/env", "NNJOBS_CONFIG=small.conf", Binaries.nnjobs, "submit",
        "good.json")
      #expect(large.status == 6 && large.output == "", "4: \(large)")
      #expect(
        large.errors.contains("all results of one user may take 1.00 KiB here"), "4: \(large)")
      #expect(try await nnjobs(users.bob, "clean", "--older", "0").status == 2, "4")
      #expect(
        try await nnjobs(users.bob, "clean", "--older", "0", "--user", users.alice).status == 5, "4"
      )
      #expect(try await nnjobs(users.bob, "fsck").status == 5, "4")
      let cleaned = try await nnjobs(users.alice, "clean", "--older", "0", "--with-results")
      #expect(cleaned.status == 0, "4: \(cleaned)")
      #expect(try queue.jobs().map(\.id) == [3], "4")
      #expect(try queue.folder.names(in: "results") == [], "4")
      try await next.end(SIGTERM)

      // 5. Root repairs as the queue's owner would, and the service goes on.
      #expect(try await queue.nnjobs("fsck", "--rebuild").status == 0, "5")
      let last = try await RunningDaemon(
        on: queue, ["--workers", "1"],
        through: [
          setpriv, "--reuid", users.service, "--regid", users.group, "--init-groups",
        ])
      #expect(try await nnjobs(users.bob, "status").status == 0, "5")
      try await last.end(SIGTERM)
    }
  }
}
