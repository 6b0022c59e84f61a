import Formats
import Jacobians

/// `nnjobs picture`: shows a part of an array, in the terminal or as a PNG file.
enum PictureCommand: Command {
  static let name = "picture"
  static let summary = "show a part of an array, here or as a PNG"
  static let operands = "FILE.npy"
  static let index = Option(
    "index", letter: "i", value: "I,J,…", "places on the leading axes; one or two axes are left")
  static let shape = Option(
    "shape", letter: "s", value: "ROWSxCOLUMNS", "how the numbers that are left are laid out")
  static let scale = Option("scale", value: "COUNT", "pixels a number takes on a side")
  static let output = Option("output", letter: "o", value: "FILE.png", "write a PNG file")
  static let options = [index, shape, scale, output]
  static let notes = """
    Zero is white, negative numbers are blue, positive ones red; the strongest colour is the largest
    magnitude that is shown.
    """

  static func run(_ call: Call) throws -> ExitCode {
    let arguments = call.arguments
    guard let file = arguments.operands.first else {
      throw Complaint.missingOperand(command: name, operand: operands)
    }
    if arguments.operands.count > 1 {
      throw Complaint.unexpectedOperand(command: name, arguments.operands[1])
    }
    do {
      try show(file, call)
    } catch let error as PictureError {
      throw Complaint.picture(file: file, error)
    }
    return .done
  }

  private static func show(_ file: String, _ call: Call) throws {
    let arguments = call.arguments
    let place = try arguments.value(index).map(PictureWords.index) ?? []
    let layout = try arguments.value(shape).map(PictureWords.shape)
    let side = try arguments.value(scale).map(PictureWords.scale)
    let npy = try NPYFile(examining: file)
    let slice = try PictureSlice(of: npy.shape, at: place, reshaped: layout)
    // Mapped where the file allows it, so only the part that is shown is read.
    let values = try npy.values(Double.self)
    let numbers = (slice.offset..<slice.offset + slice.count).map { values.span[$0] }
    let picture = Picture(rows: slice.rows, columns: slice.columns, numbers: numbers)

    if let target = arguments.value(output) {
      let side = side ?? max(1, 512 / max(picture.rows, picture.columns))
      try PNGFile.write(picture.pixels(scale: side), to: target)
      return
    }
    let terminal = try Terminal(1, call: call)
    let shown = TerminalPicture(
      picture,
      colours: TerminalPicture.Colours(
        wanted: terminal.isColoured, colorterm: call.environment["COLORTERM"],
        term: call.environment["TERM"]), width: terminal.columns ?? 80, scale: side)
    try Output.standardOutput(shown.text + shown.legend + "\n")
  }
}
