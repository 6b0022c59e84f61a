import Jacobians

/// Gives the numbers of an array row by row in the engine's type, a piece at a time, whatever they are stored as.
struct NumberStream<T: Scalar> {
  private enum Source {
    case pool(NumberPool, start: Int)
    case file(SourceFile, offset: Int)
    case member(ZipMember)
    case mapped(MappedFile, offset: Int)
    case memory([UInt8])
  }

  private let array: StoredArray
  private let source: Source
  private var done = 0
  private let pieceCount = 1 << 16

  /// Starts at the first number.
  ///
  /// Column-major arrays are gathered from all over, so their files are mapped and their zip members inflated whole.
  init(_ array: StoredArray, maps: inout FileMaps) throws(FormatError) {
    self.array = array
    switch array.location {
    case .numbers(let pool, let start): source = .pool(pool, start: start)
    case .file(let file, let offset):
      try file.checkUnchanged()
      source =
        array.isColumnMajor
        ? .mapped(try maps.map(file), offset: offset) : .file(file, offset: offset)
    case .member(let file, let name, let offset):
      let member = try file.open(name)
      try member.skip(offset)
      if array.isColumnMajor {
        source = .memory(try member.read(count: array.byteCount))
      } else {
        source = .member(member)
      }
    }
  }

  /// Fills the first `count` places of `numbers` with the next numbers.
  mutating func read(into numbers: inout MutableSpan<T>, count: Int) throws(FormatError) {
    var filled = 0
    while filled < count {
      let piece = min(pieceCount, count - filled)
      try read(into: &numbers, from: filled, count: piece)
      filled += piece
      done += piece
    }
  }

  private mutating func read(
    into numbers: inout MutableSpan<T>, from first: Int, count: Int
  ) throws(FormatError) {
    let size = array.type.byteCount
    let decoder = NumberDecoder(type: array.type, isBigEndian: array.isBigEndian)
    let order = array.isColumnMajor ? ColumnMajorOrder(shape: array.shape, from: done) : nil
    switch source {
    case .pool(let pool, let start):
      let bytes = unsafe pool.span.extracting((start + done)..<(start + done + count)).bytes
      decoder.decode(bytes, into: &numbers, from: first, count: count, order: nil)
    case .file(let file, let offset):
      let bytes = try file.read(count: count * size, at: offset + done * size)
      unsafe decoder.decode(bytes.span.bytes, into: &numbers, from: first, count: count, order: nil)
    case .member(let member):
      let bytes = try member.read(count: count * size)
      unsafe decoder.decode(bytes.span.bytes, into: &numbers, from: first, count: count, order: nil)
    case .mapped(let map, let offset):
      let bytes = map.bytes.extracting(offset..<(offset + array.byteCount))
      decoder.decode(bytes, into: &numbers, from: first, count: count, order: order)
    case .memory(let bytes):
      unsafe decoder.decode(
        bytes.span.bytes, into: &numbers, from: first, count: count, order: order)
    }
  }
}

/// Walks the places of a column-major array row by row.
struct ColumnMajorOrder {
  private let shape: [Int]
  private var index: [Int]
  private var strides: [Int]
  private var place: Int

  /// Starts at number `first` of the row order; no axis may be of length zero.
  init(shape: [Int], from first: Int) {
    self.shape = shape
    index = shape
    strides = shape
    place = 0
    var rest = first
    for axis in shape.indices.reversed() {
      (rest, index[axis]) = rest.quotientAndRemainder(dividingBy: shape[axis])
    }
    var stride = 1
    for axis in shape.indices {
      strides[axis] = stride
      place += stride * index[axis]
      stride *= shape[axis]
    }
  }

  /// The place of this number, and on to the next.
  mutating func next() -> Int {
    let current = place
    for axis in shape.indices.reversed() {
      index[axis] += 1
      place += strides[axis]
      if index[axis] < shape[axis] { break }
      place -= strides[axis] * shape[axis]
      index[axis] = 0
    }
    return current
  }
}
