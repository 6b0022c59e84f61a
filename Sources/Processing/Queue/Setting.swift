/// One setting of a queue: the configuration, the daemon's options and the manual all know it from here.
package struct Setting: Hashable, Sendable {
  /// Its name in the configuration file; the option has dashes where this has underscores.
  package let name: String
  /// What its value is called, as `SIZE`.
  package let value: String
  /// What it means, in a line.
  package let meaning: String
  /// What holds without it.
  package let fallback: String

  /// Describes a setting.
  init(_ name: String, _ value: String, _ meaning: String, else fallback: String) {
    self.name = name
    self.value = value
    self.meaning = meaning
    self.fallback = fallback
  }

  /// What it means, as a sentence.
  package var sentence: String { meaning.prefix(1).uppercased() + meaning.dropFirst() + "." }

  /// The option of nnjobsd for it; nil for what only `nnjobs` reads.
  package var option: String? {
    name == "status_visible" ? nil : name.replacing("_", with: "-")
  }

  /// Every setting there is, in the order of the documentation.
  package static let all = [
    Setting("jobs", "FOLDER", "the inbox", else: "jobs in the current folder"),
    Setting(
      "results", "FOLDER", "where results are published", else: "results in the current folder"),
    Setting(
      "state", "FOLDER", "store, lock, claimed job files", else: ".nnjobs in the current folder"),
    Setting(
      "workers", "COUNT", "worker processes at once, 1 to 1024", else: "one for each core"),
    Setting(
      "memory", "SIZE", "what all running jobs together may plan to use, as 16 GiB",
      else: "0.8 of the machine's"),
    Setting(
      "grace", "SECONDS",
      "how long a job may go on after it was told to stop, before its worker is killed", else: "10"),
    Setting(
      "checkpoint", "SECONDS",
      "time between two records of what a running job has on disk for good; 0 for none", else: "10"),
    Setting(
      "patience", "SECONDS",
      "how long a file that ends too early may stay unchanged in the inbox before it is refused",
      else: "60"),
    Setting(
      "keep", "AGE", "how long after its end a job is removed from the store, as 30d",
      else: "for ever"),
    Setting(
      "keep_results", "yes|no", "whether the result folder of a job that is removed so stays",
      else: "yes"),
    Setting(
      "results_group", "GROUP",
      "the group that may read every result besides its owner; none for owners alone",
      else: "as the folders' modes say"),
    Setting(
      "status_visible", "all|own",
      "whose jobs nnjobs status shows to users other than root: everybody's where they ask, or their own",
      else: "all"),
    Setting(
      "time_limit", "TIME", "how long a job may run that names no time_limit, as 90 or 12h",
      else: "as long as it takes"),
    Setting("longest_time", "TIME", "the longest time_limit that a job may name", else: "any"),
    Setting(
      "user_running", "COUNT", "jobs of one user that run at once; others' go first meanwhile",
      else: "any number"),
    Setting(
      "user_queued", "COUNT",
      "jobs of one user that are queued at once; further files wait in the inbox",
      else: "any number"),
    Setting(
      "user_results", "SIZE",
      "what the results of one user may take on disk in all, as 100 GiB; more wait until some are removed",
      else: "any number"),
    Setting(
      "user_priority", "NUMBER",
      "the highest priority of a user's jobs; what asks for more gets this", else: "0"),
  ]
}
