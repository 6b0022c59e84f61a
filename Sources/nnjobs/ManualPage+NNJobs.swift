import CommandLineOptions
import Processing

extension ManualPage {
  /// nnjobs(1): every command with what its help says.
  static var ofNNJobs: ManualPage {
    ManualPage(
      "nnjobs", 1, date: Version.date, summary: Help.summaryOfAll,
      synopsis: [
        ".Nm", ".Op Ar OPTION ...", ".Op Ar COMMAND Op Ar ARGUMENT ...",
      ],
      [
        .heading("DESCRIPTION"),
        .text(
          """
          A job file holds a network, its inputs and the gradients of its outputs that are wanted.
          nnjobsd takes it out of the queue's inbox, computes it and publishes .npy arrays; nnjobs
          submits jobs, tells how they stand and asks the daemon about them, or computes one itself.
          """),
        .text(Help.placeOfQueue),
        .text("nnjobs alone is nnjobs status. Options may be shortened to what is unambiguous."),
        .heading("OPTIONS"), .text("These every command takes:"),
        .options(Option.beforeTheCommand), .heading("COMMANDS"),
      ] + Commands.all.flatMap(parts) + [
        .heading("ENVIRONMENT"), .list(variables), .heading("FILES"), .list(files),
        .heading("EXIT STATUS"),
        .list(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning + ".") }),
        .heading("EXAMPLES"),
        .text("Drop a job, wait for it, and see what came of it:"),
        .literal("nnjobs submit digits.safetensors\nnnjobs wait 1 && nnjobs result --verify 1"),
        .text("Why does a job not run?"), .literal("nnjobs why 17"),
        .heading("SEE ALSO"), .pages([("nnjobs.conf", 5), ("nnjobsd", 8)]),
        .text(
          "The job file, every gradient and every array of a result: job-file.md, results.md "
            + "and mathematics.md in share/doc/nnjobs."),
      ])
  }

  private static func parts(of command: any Command.Type) -> [Part] {
    let own = command.options
    return [
      .subheading(command.name),
      .text(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + "."),
      .literal(
        "nnjobs \(command.name) [OPTION…]"
          + (command.operands.isEmpty ? "" : " \(command.operands)")),
    ] + (own.isEmpty ? [] : [.options(own)])
      + (command.notes.isEmpty ? [] : [.text(command.notes)])
  }

  private static let variables = [
    (
      "NNJOBS_JOBS, NNJOBS_RESULTS, NNJOBS_STATE",
      "The queue's folders, where no option names them."
    ),
    ("NNJOBS_CONFIG", "The configuration file, instead of /etc/nnjobs/nnjobs.conf."),
    ("NNJOBS_PROFILE", "Where the machine's profile is kept and looked for."),
    ("NO_COLOR", "Set to anything, output is not coloured unless --color says so."),
  ]

  private static let files = [
    ("jobs/, results/, .nnjobs/", "A queue of one's own, in the current folder."),
    ("/etc/nnjobs/nnjobs.conf", "Where the service's queue is, and its settings: nnjobs.conf(5)."),
    ("/var/lib/nnjobs", "The service's queue."),
  ]
}
