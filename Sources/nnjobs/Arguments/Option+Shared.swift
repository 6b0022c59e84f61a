import CommandLineOptions

extension Option {
  /// Shows a command's help.
  static let help = Option("help", letter: "h", "show this help")
  /// Shows the version.
  static let version = Option("version", "show the version")
  /// The inbox of the queue that is meant.
  static let jobs = Option("jobs", value: "FOLDER", "the queue's inbox")
  /// The results folder of the queue that is meant.
  static let results = Option("results", value: "FOLDER", "the queue's results")
  /// The state folder of the queue that is meant.
  static let state = Option(
    "state", value: "FOLDER", "the queue's state: its store and claimed files")
  /// When to colour.
  static let color = Option(
    "color", value: "WHEN", "auto, always or never", choices: ["auto", "always", "never"])
  /// Data for programs.
  static let json = Option("json", "one JSON object instead of text")

  /// What every command takes.
  static let ofEveryCommand = [jobs, results, state, color, help]
  /// What may stand before the command's name.
  static let beforeTheCommand = ofEveryCommand + [version]
}

extension Arguments {
  /// Refuses operands of a command that takes none.
  func requireNoOperands(of command: String) throws(Complaint) {
    if let first = operands.first {
      throw .unexpectedOperand(command: command, first)
    }
  }
}
