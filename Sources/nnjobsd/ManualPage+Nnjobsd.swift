import CommandLineOptions
import Processing

/// The manual pages that the daemon writes.
enum DaemonPage: String, CaseIterable {
  /// nnjobsd(8).
  case nnjobsd
  /// nnjobs.conf(5).
  case configuration = "nnjobs.conf"

  /// The page.
  var page: ManualPage {
    switch self {
    case .nnjobsd: .ofNnjobsd
    case .configuration: .ofConfiguration
    }
  }
}

extension ManualPage {
  /// nnjobsd(8).
  fileprivate static var ofNnjobsd: ManualPage {
    ManualPage(
      "nnjobsd", 8, date: Version.date, summary: DaemonOptions.summary,
      synopsis: [".Nm", ".Op Ar OPTION ..."],
      [
        .heading("DESCRIPTION"),
        .text(
          """
          nnjobsd watches its inbox, claims each job file by a rename, and records it in its store.
          Jobs run in worker processes that it starts and replaces; what they compute is published
          in the results folder whole or not at all. What a crash leaves is repaired by the next
          start, before it is ready. One daemon serves a queue; a second one refuses.
          """),
        .text(
          "It serves the three folders that its options, NNJOBS_JOBS, NNJOBS_RESULTS and NNJOBS_STATE, "
            + "or nnjobs.conf(5) name, else jobs, results and .nnjobs in the current folder. They must "
            + "be on one file system. Options win over the environment, and that over the file."),
        .text(
          "Requests about jobs are empty files in the inbox, as .cancel-17, whose owner is the proof of "
            + "who asks; nnjobs(1) writes them."),
        .heading("OPTIONS"), .options(DaemonOptions.all), .heading("SIGNALS"),
        .list([
          (
            "SIGTERM, SIGINT",
            "Stop: what runs goes back into the queue, and goes on where it was at the next start."
          )
        ]), .heading("ENVIRONMENT"),
        .list([
          ("NNJOBS_JOBS, NNJOBS_RESULTS, NNJOBS_STATE", "The queue's folders."),
          ("NNJOBS_CONFIG", "The configuration file, instead of /etc/nnjobs/nnjobs.conf."),
          ("OPENBLAS_CORETYPE", "OpenBLAS's kernels, instead of those that were measured."),
          ("NOTIFY_SOCKET, WATCHDOG_USEC", "The service manager: sd_notify(3)."),
        ]), .heading("FILES"),
        .list([
          ("/etc/nnjobs/nnjobs.conf", "The configuration: nnjobs.conf(5)."),
          ("/var/lib/nnjobs", "The service's queue: jobs, results, state."),
          ("state/store.sqlite", "Every job: store.md in share/doc/nnjobs."),
          ("state/claimed, state/logs", "Job files that were taken; what happened to each job."),
          ("jobs/refused", "Files that were no jobs, each with its reason beside it."),
        ]), .heading("EXIT STATUS"),
        .list([
          ("0", "It was told to stop."),
          ("64", "Its options or its configuration must be put right."),
          (
            "74",
            "It cannot serve the queue, or a disk failed; a new start finds out what is there."
          ),
        ]), .heading("SEE ALSO"),
        .pages([("nnjobs", 1), ("nnjobs.conf", 5), ("systemd.service", 5)]),
        .text("Running it as a service: operations.md in share/doc/nnjobs."),
      ])
  }

  /// nnjobs.conf(5).
  fileprivate static var ofConfiguration: ManualPage {
    ManualPage(
      "nnjobs.conf", 5, date: Version.date, summary: "settings of a queue of nnjobsd",
      synopsis: [".Pa /etc/nnjobs/nnjobs.conf"],
      [
        .heading("DESCRIPTION"),
        .text(
          """
          nnjobsd(8) and nnjobs(1) read it; NNJOBS_CONFIG names another file. Each line is name =
          value; # begins a comment, and empty lines are nothing. A line that is not right is
          refused with its number. Options and the environment win over it.
          """),
        .text(
          "A SIZE is a number with B, KiB, MiB, GiB or TiB behind it, or of bytes. A TIME or an AGE is "
            + "\(TimeSpan.forms). SECONDS is a number from 0 to 86400."),
        .heading("SETTINGS"),
        .list(
          Setting.all.map {
            ("\($0.name) = \($0.value)", "\($0.sentence) Without it: \($0.fallback).")
          }),
        .text(
          "What is said of one user binds neither root nor the user that the daemon runs as."),
        .heading("FILES"),
        .list([("/etc/nnjobs/nnjobs.conf", "The service's; an installation leaves it as it is.")]),
        .heading("EXAMPLES"),
        .literal(
          """
          jobs = /var/lib/nnjobs/jobs
          results = /var/lib/nnjobs/results
          state = /var/lib/nnjobs/state
          memory = 16 GiB
          user_results = 100 GiB   # of each user
          """),
        .heading("SEE ALSO"), .pages([("nnjobs", 1), ("nnjobsd", 8)]),
        .text("What each setting is good for: operations.md in share/doc/nnjobs."),
      ])
  }
}
