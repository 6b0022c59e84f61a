import CommandLineOptions
import Formats

/// `nnjobs completions`: what a shell needs to complete command lines of nnjobs.
enum CompletionsCommand: Command {
  static let name = "completions"
  static let summary = "a script that makes a shell complete nnjobs' commands and options"
  static let operands = "SHELL"
  static var operandChoices: [String] { Shell.allCases.map(\.rawValue) }
  static let notes = """
    SHELL is bash, zsh or fish. For the running bash: source <(nnjobs completions bash). `make install`
    puts all three where the shells look for them. They are made from the same table of commands and
    options that reads the command line.
    """

  /// The shells there are scripts for.
  enum Shell: String, CaseIterable, Sendable {
    /// GNU Bash.
    case bash
    /// The Z shell.
    case zsh
    /// Fish.
    case fish

    /// The script.
    var script: String {
      switch self {
      case .bash: BashCompletion.script
      case .zsh: ZshCompletion.script
      case .fish: FishCompletion.script
      }
    }
  }

  static func run(_ call: Call) throws -> ExitCode {
    guard let word = call.arguments.operands.first else {
      throw Complaint.missingOperand(command: name, operand: operands)
    }
    guard call.arguments.operands.count == 1, let shell = Shell(rawValue: word) else {
      throw Complaint.unexpectedOperand(
        command: name, call.arguments.operands.count == 1 ? word : call.arguments.operands[1])
    }
    try Output.standardOutput(shell.script)
    return .done
  }
}

/// What may follow an option or a command's name, as a shell completes it.
enum Completable: Hashable, Sendable {
  /// One of these words.
  case words([String])
  /// A file.
  case file
  /// A folder.
  case folder
  /// Something that no shell knows.
  case anything

  /// The value of an option; nil where it takes none.
  init?(valueOf option: Option) {
    guard let value = option.value else { return nil }
    self = option.choices.isEmpty ? Completable(placeholder: value) : .words(option.choices)
  }

  /// What a command's operands are.
  init(operandsOf command: any Command.Type) {
    let choices = command == Help.self ? Commands.all.map { $0.name } : command.operandChoices
    self = choices.isEmpty ? Completable(placeholder: command.operands) : .words(choices)
  }

  private init(placeholder: String) {
    if placeholder.contains("FOLDER") {
      self = .folder
    } else if placeholder.contains("FILE") {
      self = .file
    } else {
      self = .anything
    }
  }
}

extension Option {
  /// Everything it can be written as, `-h` and `--help`.
  var spellings: [String] { (letter.map { ["-\($0)"] } ?? []) + ["--\(name)"] }
}
