import CommandLineOptions
import Formats

/// One command: what it is called, what it takes, and what it does.
protocol Command {
  /// Its name on the command line.
  static var name: String { get }
  /// What it does, in a line of help.
  static var summary: String { get }
  /// What follows its name, as `ID…`; empty where nothing does.
  static var operands: String { get }
  /// What its operands can be, where these are few words; for completion.
  static var operandChoices: [String] { get }
  /// The options it has beside those of every command.
  static var options: [Option] { get }
  /// Paragraphs for `--help`, below the options.
  static var notes: String { get }
  /// Does it.
  static func run(_ call: Call) throws -> ExitCode
}

extension Command {
  /// Nothing follows the name unless the command says so.
  static var operands: String { "" }
  /// Operands are not of few words unless the command says so.
  static var operandChoices: [String] { [] }
  /// No options of its own unless the command says so.
  static var options: [Option] { [] }
  /// Nothing more to say unless the command does.
  static var notes: String { "" }

  /// All its options: a name that the command declares itself means what the command says.
  static var allOptions: [Option] {
    let own = Set(options.map(\.name))
    return options + Option.ofEveryCommand.filter { !own.contains($0.name) }
  }
}

/// A command as it was called.
struct Call: Sendable {
  /// The command's own options and operands.
  let arguments: Arguments
  /// What stood before the command's name.
  let globals: Arguments
  /// The process's environment.
  let environment: [String: String]

  /// The last value of an option, after the command's name or else before it.
  func value(_ option: Option) -> String? {
    arguments.value(option) ?? globals.value(option)
  }

  /// Whether an option is given, after the command's name or before it.
  func has(_ option: Option) -> Bool { arguments.has(option) || globals.has(option) }
}

/// Every command there is, in the order of `nnjobs help`.
enum Commands {
  /// The list.
  static var all: [any Command.Type] {
    [
      Status.self, Why.self, Submit.self, Run.self, Check.self, Wait.self, Follow.self, Logs.self,
      Result.self,
      PictureCommand.self, Cancel.self, Retry.self, Hold.self, Release.self, Remove.self,
      Clean.self, Fsck.self, Doctor.self, VersionCommand.self, CompletionsCommand.self, Help.self,
    ]
  }

  /// The command of that name.
  static func named(_ name: String) throws(Complaint) -> any Command.Type {
    var names: [String] = []
    for command in all {
      if command.name == name { return command }
      names.append(command.name)
    }
    throw .unknownCommand(name, near: Suggestion.nearest(to: name, among: names))
  }
}
