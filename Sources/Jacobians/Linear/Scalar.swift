import Glibc

/// The number types the engine computes in; their names are the job document's `dtype`.
package enum ScalarType: String, Sendable, CaseIterable, Codable {
  /// IEEE 754 double precision, the default.
  case float64
  /// IEEE 754 single precision, on request.
  case float32

  /// The size of one number in bytes.
  package var byteCount: Int { self == .float64 ? 8 : 4 }

  /// The spacing of numbers just above one.
  package var epsilon: Double { self == .float64 ? 0x1p-52 : 0x1p-23 }
}

/// A number the engine computes in: the elementary functions of activations, and its `ScalarType`.
///
/// Only `Double` and `Float` conform. Generic kernels are entered through `Float` and `Double`
/// specialisations, so no call is boxed.
package protocol Scalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// The run-time name of this type.
  static var type: ScalarType { get }
  /// eˣ.
  static func exp(_ x: Self) -> Self
  /// eˣ − 1, exact for small x.
  static func expMinusOne(_ x: Self) -> Self
  /// ln x.
  static func log(_ x: Self) -> Self
  /// ln(1 + x), exact for small x.
  static func logOnePlus(_ x: Self) -> Self
  /// The hyperbolic tangent.
  static func tanh(_ x: Self) -> Self
  /// The error function.
  static func erf(_ x: Self) -> Self
  /// The complementary error function, 1 − erf x, exact where erf x is near one.
  static func erfc(_ x: Self) -> Self
  /// The sine.
  static func sin(_ x: Self) -> Self
  /// The cosine.
  static func cos(_ x: Self) -> Self
}

extension Double: Scalar {
  package static var type: ScalarType { .float64 }
  package static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  package static func expMinusOne(_ x: Double) -> Double { Glibc.expm1(x) }
  package static func log(_ x: Double) -> Double { Glibc.log(x) }
  package static func logOnePlus(_ x: Double) -> Double { Glibc.log1p(x) }
  package static func tanh(_ x: Double) -> Double { hyperbolicTangent(x) }
  package static func erf(_ x: Double) -> Double { Glibc.erf(x) }
  package static func erfc(_ x: Double) -> Double { Glibc.erfc(x) }
  package static func sin(_ x: Double) -> Double { Glibc.sin(x) }
  package static func cos(_ x: Double) -> Double { Glibc.cos(x) }
}

extension Float: Scalar {
  package static var type: ScalarType { .float32 }
  package static func exp(_ x: Float) -> Float { Glibc.expf(x) }
  package static func expMinusOne(_ x: Float) -> Float { Glibc.expm1f(x) }
  package static func log(_ x: Float) -> Float { Glibc.logf(x) }
  package static func logOnePlus(_ x: Float) -> Float { Glibc.log1pf(x) }
  package static func tanh(_ x: Float) -> Float { hyperbolicTangent(x) }
  package static func erf(_ x: Float) -> Float { Glibc.erff(x) }
  package static func erfc(_ x: Float) -> Float { Glibc.erfcf(x) }
  package static func sin(_ x: Float) -> Float { Glibc.sinf(x) }
  package static func cos(_ x: Float) -> Float { Glibc.cosf(x) }
}
