import CLinux
import CommandLineOptions
import Glibc

/// What is known of the terminal behind a stream.
struct Terminal: Sendable {
  /// Columns of the terminal; nil when the stream is none.
  let columns: Int?
  /// Whether states and bars are coloured.
  let isColoured: Bool

  /// Describes a terminal.
  init(columns: Int?, isColoured: Bool) {
    self.columns = columns
    self.isColoured = isColoured
  }

  /// Looks at a stream: colour by `--color`, then `NO_COLOR`, then whether it is a terminal.
  init(_ stream: Int32, call: Call) throws(Complaint) {
    let isTerminal = isatty(stream) == 1
    // A terminal that does not know its width (a serial line) counts as 80 wide.
    let columns = Int(nnjobs_terminal_columns(stream))
    self.columns = isTerminal ? (columns > 0 ? columns : 80) : nil
    switch call.value(.color) ?? "auto" {
    case "always": isColoured = true
    case "never": isColoured = false
    case "auto":
      // https://no-color.org: present and not empty.
      isColoured =
        isTerminal && (call.environment["NO_COLOR"] ?? "").isEmpty
        && call.environment["TERM"] != "dumb"
    case let other:
      throw .option(.wrongValue(option: "--color", value: other, expected: "auto, always or never"))
    }
  }

  /// Text in a colour, where there are colours.
  func text(_ text: String, _ colour: Colouring?) -> String {
    guard isColoured, let colour, !text.isEmpty else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }
}

/// The colours in use: ECMA-48's numbers.
enum Colouring: Int, Sendable {
  /// For headings.
  case bold = 1
  /// For what matters less.
  case faint = 2
  /// For failure.
  case red = 31
  /// For success.
  case green = 32
  /// For what was stopped.
  case yellow = 33
  /// For what was refused.
  case magenta = 35
  /// For what runs.
  case cyan = 36
}
