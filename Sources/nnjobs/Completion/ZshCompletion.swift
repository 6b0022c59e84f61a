import CommandLineOptions

/// The script for the Z shell: `_arguments` with one entry for each option.
enum ZshCompletion {
  /// The script.
  static var script: String {
    """
    #compdef nnjobs
    # zsh completion for nnjobs, written by `nnjobs completions zsh`
    _nnjobs() {
      local curcontext=$curcontext state line
      local -a commands
      commands=(
    \(Commands.all.map { "    \(quoted("\($0.name):\($0.summary)"))" }.joined(separator: "\n"))
      )
      _arguments -C \\
    \(entries(Option.beforeTheCommand))
        '1:command:->command' '*::argument:->argument'
      case $state in
        command) _describe command commands ;;
        argument)
          case $words[1] in
    \(Commands.all.map(branch).joined(separator: "\n"))
          esac ;;
      esac
    }
    _nnjobs "$@"

    """
  }

  private static func branch(of command: any Command.Type) -> String {
    let operands = Completable(operandsOf: command)
    let rest =
      command.operands.isEmpty ? "" : quoted("*:\(escaped(command.operands)):\(action(operands))")
    return """
            \(command.name)) _arguments \\
      \(entries(command.allOptions))
          \(rest) ;;
      """
  }

  private static func entries(_ options: [Option]) -> String {
    options.map { option in
      let words = option.spellings
      let value = Completable(valueOf: option)
      let what =
        "[\(escaped(option.summary))]"
        + (value.map { ":\(option.value ?? ""):\(action($0))" } ?? "")
      let long = "--\(option.name)\(value == nil ? "" : "=")"
      let all = words.count == 1 ? [long] : [words[0], long]
      return all.map { "    \(quoted($0 + what)) \\" }.joined(separator: "\n")
    }.joined(separator: "\n")
  }

  private static func action(_ value: Completable) -> String {
    switch value {
    case .words(let words): "(\(words.joined(separator: " ")))"
    case .file: "_files"
    case .folder: "_files -/"
    case .anything: " "
    }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("[", with: "\\[").replacing("]", with: "\\]").replacing(":", with: "\\:")
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
