/// Which part of an array a picture shows: leading axes fixed at an index, what is left laid out in rows and columns.
///
/// In row-major order that part is one run of numbers, so nothing else of a large file need be read.
struct PictureSlice: Hashable, Sendable {
  /// Where the run starts, counted in numbers from the array's first.
  let offset: Int
  /// Rows of the picture.
  let rows: Int
  /// Columns of the picture.
  let columns: Int

  /// Lays out `shape[index]`; `reshaped` gives rows and columns, otherwise one or two axes must be left.
  init(
    of shape: [Int], at index: [Int], reshaped: (rows: Int, columns: Int)? = nil
  ) throws(PictureError) {
    let sizes = shape.map(String.init).joined(separator: " × ")
    guard index.count <= shape.count else {
      throw PictureError(
        "--index fixes \(index.count) axes and the array has \(shape.count) (\(sizes))")
    }
    var offset = 0
    for (axis, (place, size)) in zip(index, shape).enumerated() {
      guard (0..<size).contains(place) else {
        throw PictureError(
          "--index \(place) is outside axis \(axis) of \(size)",
          remedy: size > 0 ? "0 to \(size - 1) are inside" : nil)
      }
      offset = offset * size + place
    }
    let left = Array(shape.dropFirst(index.count))
    var count = 1
    for size in left {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw PictureError("the array's size (\(sizes)) is too large") }
      count = product
    }
    guard count > 0 else { throw PictureError("the array is empty (\(sizes))") }
    let (start, overflow) = offset.multipliedReportingOverflow(by: count)
    guard !overflow else { throw PictureError("the array's size (\(sizes)) is too large") }

    if let reshaped {
      let (product, overflow) = reshaped.rows.multipliedReportingOverflow(by: reshaped.columns)
      guard !overflow, product == count else {
        throw PictureError(
          "--shape \(reshaped.rows)x\(reshaped.columns) does not hold the \(count) numbers left",
          remedy: "rows times columns must be \(count)")
      }
      (rows, columns) = reshaped
    } else {
      switch left.count {
      case 0: (rows, columns) = (1, 1)
      case 1: (rows, columns) = (1, left[0])
      case 2: (rows, columns) = (left[0], left[1])
      default:
        let zeros = Array(repeating: "0", count: shape.count - 2).joined(separator: ",")
        throw PictureError(
          "\(left.count) axes (\(left.map(String.init).joined(separator: " × "))) make no picture",
          remedy: "fix leading ones, as --index \(zeros)")
      }
    }
    self.offset = start
  }

  /// How many numbers it shows.
  var count: Int { rows * columns }
}
