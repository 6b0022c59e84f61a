/// Sizes of arrays that a file claims: checked before anything is believed or allocated.
package enum ArrayShape {
  /// How many numbers an array of this shape has, or nil when it has a negative length or they are too many to count.
  package static func count(_ shape: [Int]) -> Int? {
    guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
    // An axis of length zero must not hide behind an overflow of the others.
    if shape.contains(0) { return 0 }
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      count = product
    }
    return count
  }

  /// How many bytes `shape` takes at `bits` a number, or nil when they are too many to count or no whole bytes.
  package static func byteCount(_ shape: [Int], bits: Int) -> Int? {
    guard let count = count(shape) else { return nil }
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    return overflow || total % 8 != 0 ? nil : total / 8
  }
}
