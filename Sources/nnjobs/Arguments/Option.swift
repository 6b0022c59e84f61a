/// One option of a command: getopt's table and the help page are both made from it.
struct Option: Hashable, Sendable {
  /// Its long name without dashes.
  let name: String
  /// Its short letter.
  let letter: Character?
  /// What its value is called in the help, as `FOLDER`; nil where it takes none.
  let value: String?
  /// What it does, in a line of help.
  let summary: String

  /// Declares an option.
  init(_ name: String, letter: Character? = nil, value: String? = nil, _ summary: String) {
    self.name = name
    self.letter = letter
    self.value = value
    self.summary = summary
  }

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
  static let color = Option("color", value: "WHEN", "auto, always or never")
  /// Data for programs.
  static let json = Option("json", "one JSON object instead of text")

  /// What every command takes.
  static let ofEveryCommand = [jobs, results, state, color, help]
  /// What may stand before the command's name.
  static let beforeTheCommand = ofEveryCommand + [version]
}
