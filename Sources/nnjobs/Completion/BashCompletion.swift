import CommandLineOptions

/// The script for GNU Bash: one function, which looks for the command's name and completes what belongs to it.
enum BashCompletion {
  /// The script.
  static var script: String {
    """
    # bash completion for nnjobs, written by `nnjobs completions bash`
    _nnjobs() {
      local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= i
      # Bash takes = for a word of its own.
      if [[ $current == "=" ]]; then current=
      elif [[ $previous == "=" ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}
      fi
      for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
          \(taking(Option.beforeTheCommand)))
            [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++))
            ((i++)) ;;
          -* | =) ;;
          *) command=${COMP_WORDS[i]}; break ;;
        esac
      done
      COMPREPLY=()
      case $command in
        "")
    \(body(options: Option.beforeTheCommand, operands: .words(Commands.all.map { $0.name })))
          ;;
    \(Commands.all.map(branch).joined(separator: "\n"))
      esac
    }
    complete -F _nnjobs nnjobs

    """
  }

  private static func branch(of command: any Command.Type) -> String {
    """
        \(command.name))
    \(body(options: command.allOptions, operands: Completable(operandsOf: command)))
          ;;
    """
  }

  /// The value of an option where one is due, else options after a dash, else operands.
  private static func body(options: [Option], operands: Completable) -> String {
    let values = options.compactMap { option in
      Completable(valueOf: option).map { value in
        "        \(option.spellings.joined(separator: " | "))) \(reply(value)); return ;;\n"
      }
    }
    let words = options.flatMap(\.spellings).joined(separator: " ")
    return """
            case $previous in
      \(values.joined())      esac
            if [[ $current == -* ]]; then
              COMPREPLY=($(compgen -W '\(words)' -- "$current"))
            else
              \(reply(operands))
            fi
      """
  }

  private static func reply(_ value: Completable) -> String {
    switch value {
    case .words(let words):
      "COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$current\"))"
    // A name may hold blanks: a line each, and Bash is told that they are names, which it then quotes.
    case .file:
      "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
    case .folder:
      "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")"
    case .anything: ":"
    }
  }

  private static func taking(_ options: [Option]) -> String {
    options.filter { $0.value != nil }.flatMap(\.spellings).joined(separator: " | ")
  }
}
