/// The number types that arrays in files may have; all are widened or rounded to the job's type on reading.
package enum StoredType: String, Sendable, CaseIterable {
  /// IEEE 754 double precision.
  case float64
  /// IEEE 754 single precision.
  case float32
  /// IEEE 754 half precision.
  case float16
  /// The upper half of a single-precision number.
  case bfloat16
  /// A signed byte.
  case int8
  /// Two signed bytes.
  case int16
  /// Four signed bytes.
  case int32
  /// Eight signed bytes; beyond 2⁵³ rounded to the nearest double.
  case int64
  /// An unsigned byte.
  case uint8
  /// Two unsigned bytes.
  case uint16
  /// Four unsigned bytes.
  case uint32
  /// Eight unsigned bytes; beyond 2⁵³ rounded to the nearest double.
  case uint64
  /// A byte that is zero for false, counted as 0, and anything else for true, counted as 1.
  case bool

  /// The size of one number in bytes.
  package var byteCount: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether every number of this type is a single-precision number too.
  package var fitsSinglePrecision: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .int8, .int16, .uint8, .uint16, .bool: true
    case .float64, .int32, .int64, .uint32, .uint64: false
    }
  }
}
