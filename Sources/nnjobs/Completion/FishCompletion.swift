import CommandLineOptions

/// The script for fish: a `complete` for each command, option and kind of operand.
enum FishCompletion {
  /// The script.
  static var script: String {
    let lines =
      [
        "# fish completion for nnjobs, written by `nnjobs completions fish`",
        "complete -c nnjobs -f",
      ]
      + Commands.all.map {
        "complete -c nnjobs -n __fish_use_subcommand -a \($0.name) -d \(quoted($0.summary))"
      }
      + Option.beforeTheCommand.map { line($0, when: "__fish_use_subcommand") }
      + Commands.all.flatMap(lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(of command: any Command.Type) -> [String] {
    let condition = "__fish_seen_subcommand_from \(command.name)"
    let operands: [String] =
      switch Completable(operandsOf: command) {
      case .words(let words):
        [
          "complete -c nnjobs -n \(quoted(condition)) -a \(quoted(words.joined(separator: " ")))"
        ]
      case .file, .folder: ["complete -c nnjobs -n \(quoted(condition)) -F"]
      case .anything: []
      }
    return operands + command.allOptions.map { line($0, when: condition) }
  }

  private static func line(_ option: Option, when condition: String) -> String {
    var words = "complete -c nnjobs -n \(quoted(condition)) -l \(option.name)"
    if let letter = option.letter { words += " -s \(letter)" }
    switch Completable(valueOf: option) {
    case .words(let choices): words += " -x -a \(quoted(choices.joined(separator: " ")))"
    case .file, .folder: words += " -r -F"
    case .anything: words += " -x"
    case nil: break
    }
    return words + " -d \(quoted(option.summary))"
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
