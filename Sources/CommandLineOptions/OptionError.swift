/// A command line that cannot be understood, and what would have been right.
package enum OptionError: Error, Hashable, Sendable {
  /// There is no such option; `help` is the command that lists them.
  case unknown(String, command: String?, near: String?, help: String)
  /// The beginning of several options.
  case ambiguous(String, [String])
  /// An option without its value.
  case missingValue(option: String, value: String)
  /// A value for an option that takes none.
  case unexpectedValue(option: String)
  /// A value that the option does not take.
  case wrongValue(option: String, value: String, expected: String)

  /// One line: what is wrong, and the remedy.
  package var sentence: String {
    switch self {
    case .unknown(let option, let command, let near, let help):
      "no option \(option)" + (command.map { " of \($0)" } ?? "") + "; "
        + (near.map { "did you mean \($0)?" } ?? "`\(help)` lists them")
    case .ambiguous(let option, let candidates):
      "option \(option) could be \(candidates.joined(separator: ", ")); write it out"
    case .missingValue(let option, let value):
      "option \(option) needs a value; write \(option) \(value)"
    case .unexpectedValue(let option):
      "option \(option) takes no value; write \(option) alone"
    case .wrongValue(let option, let value, let expected):
      "option \(option) does not take \"\(value)\"; it takes \(expected)"
    }
  }
}
