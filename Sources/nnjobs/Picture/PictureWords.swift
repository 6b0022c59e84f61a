/// Reads what the user writes after `--index`, `--shape` and `--scale`.
enum PictureWords {
  /// `3,7` as the places along the leading axes.
  static func index(_ text: String) throws(PictureError) -> [Int] {
    var places: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let place = Int(part) else {
        throw PictureError("--index \(text) is no list of whole numbers", remedy: "write it as 3,7")
      }
      places.append(place)
    }
    return places
  }

  /// `8x8` as rows and columns.
  static func shape(_ text: String) throws(PictureError) -> (rows: Int, columns: Int) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let rows = parts[0], let columns = parts[1], rows > 0, columns > 0
    else {
      throw PictureError("--shape \(text) is no pair of sizes", remedy: "write it as 8x8")
    }
    return (rows, columns)
  }

  /// `16` as the side of a number's square in pixels.
  static func scale(_ text: String) throws(PictureError) -> Int {
    guard let scale = Int(text), (1...1024).contains(scale) else {
      throw PictureError("--scale \(text) is no whole number from 1 to 1024")
    }
    return scale
  }
}
