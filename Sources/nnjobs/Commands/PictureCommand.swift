import CommandLineOptions
import Formats

/// `nnjobs picture`: a matrix as colours, in the terminal or as a PNG.
enum PictureCommand: Command {
  static let name = "picture"
  static let summary = "look at a matrix of a result, in the terminal or as a PNG"
  static let operands = "FILE.npy"
  private static let index = Option(
    "index", letter: "i", value: "I,J,…", "fix the leading axes at these places")
  private static let shape = Option(
    "shape", letter: "s", value: "RxC", "lay what is left out in R rows of C")
  private static let output = Option(
    "output", letter: "o", value: "FILE", "write a PNG instead of showing it")
  private static let scale = Option(
    "scale", value: "N", "the side of a number's square, in pixels or characters")
  static let options = [index, shape, output, scale]
  static let notes = """
    Zero is white, blue is below and red above; the strongest colour is the largest magnitude.
    The first picture's ∂y₄/∂x of the digits example:
      nnjobs picture results/digits/input-jacobian.npy --index 0,4 --shape 8x8
    """

  static func run(_ call: Call) throws -> ExitCode {
    guard let path = call.arguments.operands.first else {
      throw Complaint.missingOperand(command: name, operand: operands)
    }
    if call.arguments.operands.count > 1 {
      throw Complaint.unexpectedOperand(command: name, call.arguments.operands[1])
    }
    let place = try call.arguments.value(index).map(PictureWords.index) ?? []
    let reshaped = try call.arguments.value(shape).map(PictureWords.shape)
    let scale = try call.arguments.integer(scale, in: 1...1024)
    do {
      let file = try NPYFile(examining: path)
      let slice = try PictureSlice(of: file.shape, at: place, reshaped: reshaped)
      let picture = try Picture(of: file, slice)
      if let target = call.arguments.value(output) {
        try write(picture, scale, to: target)
      } else {
        try show(picture, scale, call)
      }
    } catch let error as FormatError {
      throw Complaint.unreadableArray(error)
    } catch let error as PictureError {
      throw Complaint.picture(file: path, error)
    }
    return .done
  }

  /// Writes a PNG, by default of about 512 pixels, and says where it is.
  private static func write(_ picture: Picture, _ scale: Int?, to path: String) throws {
    let scale = scale ?? max(1, 512 / max(picture.rows, picture.columns))
    let (height, width) = (
      picture.rows.multipliedReportingOverflow(by: scale),
      picture.columns.multipliedReportingOverflow(by: scale)
    )
    let (pixels, overflow) = height.partialValue.multipliedReportingOverflow(
      by: width.partialValue)
    guard !height.overflow, !width.overflow, !overflow, pixels <= PNGFile.mostPixels else {
      throw PictureError(
        "--scale \(scale) makes more than \(PNGFile.mostPixels) pixels",
        remedy: "choose a smaller one")
    }
    try PNGFile.write(picture.pixels(scale: scale), to: path)
    try Output.standardOutput("\(path)\n")
  }

  private static func show(_ picture: Picture, _ scale: Int?, _ call: Call) throws {
    let terminal = try Terminal(1, call: call)
    let colours = TerminalPicture.Colours(
      wanted: terminal.isColoured, isForced: call.value(.color) == "always",
      colorterm: call.environment["COLORTERM"], term: call.environment["TERM"])
    let shown = TerminalPicture(
      picture, colours: colours, width: terminal.columns ?? 80, scale: scale)
    try Output.standardOutput(shown.text + shown.legend + "\n")
  }
}
