/// One option of a program or command: getopt's table and the help page are both made from it.
package struct Option: Hashable, Sendable {
  /// Its long name without dashes.
  package let name: String
  /// Its short letter.
  package let letter: Character?
  /// What its value is called in the help, as `FOLDER`; nil where it takes none.
  package let value: String?
  /// What it does, in a line of help.
  package let summary: String
  /// Every value it takes, where these are few words; for completion.
  package let choices: [String]

  /// Declares an option.
  package init(
    _ name: String, letter: Character? = nil, value: String? = nil, _ summary: String,
    choices: [String] = []
  ) {
    self.name = name
    self.letter = letter
    self.value = value
    self.summary = summary
    self.choices = choices
  }
}
