import Jacobians

/// Turns stored numbers into the engine's: widened exactly, or rounded to the nearest.
struct NumberDecoder {
  /// What the numbers are stored as.
  let type: StoredType
  /// Whether the highest byte comes first.
  let isBigEndian: Bool

  /// Decodes `count` numbers into `numbers` from `first` on, standing one after the other or in an `order` of places.
  ///
  /// Entered from other modules through generic functions, so it names the two types to be fast for.
  @specialized(where T == Double)
  @specialized(where T == Float)
  func decode<T: Scalar>(
    _ bytes: RawSpan, into numbers: inout MutableSpan<T>, from first: Int, count: Int,
    order: ColumnMajorOrder?
  ) {
    let swaps = isBigEndian
    switch type {
    case .float64:
      each(bytes, &numbers, first, count, order) { (bits: UInt64) in
        T(Double(bitPattern: swaps ? bits.byteSwapped : bits))
      }
    case .float32:
      each(bytes, &numbers, first, count, order) { (bits: UInt32) in
        T(Float(bitPattern: swaps ? bits.byteSwapped : bits))
      }
    case .float16:
      each(bytes, &numbers, first, count, order) { (bits: UInt16) in
        T(Float(Float16(bitPattern: swaps ? bits.byteSwapped : bits)))
      }
    case .bfloat16:
      each(bytes, &numbers, first, count, order) { (bits: UInt16) in
        T(Float(bitPattern: UInt32(swaps ? bits.byteSwapped : bits) << 16))
      }
    case .int8: each(bytes, &numbers, first, count, order) { (n: Int8) in T(n) }
    case .uint8: each(bytes, &numbers, first, count, order) { (n: UInt8) in T(n) }
    case .bool: each(bytes, &numbers, first, count, order) { (n: UInt8) in n == 0 ? 0 : 1 }
    case .int16: integers(bytes, &numbers, first, count, order, Int16.self)
    case .int32: integers(bytes, &numbers, first, count, order, Int32.self)
    case .int64: integers(bytes, &numbers, first, count, order, Int64.self)
    case .uint16: integers(bytes, &numbers, first, count, order, UInt16.self)
    case .uint32: integers(bytes, &numbers, first, count, order, UInt32.self)
    case .uint64: integers(bytes, &numbers, first, count, order, UInt64.self)
    }
  }

  @inline(always)
  private func integers<T: Scalar, Stored: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, _ numbers: inout MutableSpan<T>, _ first: Int, _ count: Int,
    _ order: ColumnMajorOrder?, _ stored: Stored.Type
  ) {
    let swaps = isBigEndian
    each(bytes, &numbers, first, count, order) { (n: Stored) in T(swaps ? n.byteSwapped : n) }
  }

  @inline(always)
  private func each<T: Scalar, Stored: BitwiseCopyable>(
    _ bytes: RawSpan, _ numbers: inout MutableSpan<T>, _ first: Int, _ count: Int,
    _ order: ColumnMajorOrder?, _ convert: (Stored) -> T
  ) {
    let size = MemoryLayout<Stored>.size
    if var order {
      for i in 0..<count {
        let offset = order.next() * size
        precondition(offset >= 0 && offset <= bytes.byteCount - size, "the number is in the bytes")
        // Any bits are a number of these types, and the place was checked; below likewise.
        let stored = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Stored.self)
        numbers[first + i] = convert(stored)
      }
    } else {
      precondition(count <= bytes.byteCount / size, "the numbers are in the bytes")
      for i in 0..<count {
        let stored = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: i * size, as: Stored.self)
        numbers[first + i] = convert(stored)
      }
    }
  }
}
