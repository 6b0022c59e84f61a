import CommandLineOptions

/// Reads what the user writes after `--index` and `--shape`.
enum PictureWords {
  /// `3,7` as the places along the leading axes.
  static func index(_ text: String) throws(Complaint) -> [Int] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let places = parts.compactMap { Int($0) }
    guard places.count == parts.count else {
      throw .option(.wrongValue(option: "--index", value: text, expected: "whole numbers, as 3,7"))
    }
    return places
  }

  /// `8x8` as rows and columns.
  static func shape(_ text: String) throws(Complaint) -> (rows: Int, columns: Int) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let rows = parts[0], let columns = parts[1], rows > 0, columns > 0
    else {
      throw .option(
        .wrongValue(option: "--shape", value: text, expected: "rows and columns, as 8x8"))
    }
    return (rows, columns)
  }
}
