import Formats
import Jacobians

extension Picture {
  /// Reads a slice of a `.npy` file; of numbers in row order only the slice's pages are read, whatever the file's size.
  init(of file: NPYFile, _ slice: PictureSlice) throws {
    guard slice.count <= PNGFile.mostPixels else {
      throw PictureError(
        "\(slice.rows) × \(slice.columns) numbers are too many to be seen",
        remedy: "fix more leading axes with --index; at most \(PNGFile.mostPixels) fit")
    }
    let run = slice.offset..<slice.offset + slice.count
    let numbers: [Double]
    if file.array.type == .float32 {
      let values = try file.values(Float.self)
      numbers = run.map { Double(values.span[$0]) }
    } else {
      let values = try file.values(Double.self)
      numbers = run.map { values.span[$0] }
    }
    self.init(rows: slice.rows, columns: slice.columns, numbers: numbers)
  }
}
