import Dispatch
import Formats
import Glibc
package import Jacobians

/// How fast this machine does what jobs are made of.
package struct MachineRates: Codable, Hashable, Sendable {
  /// Products of matrices, in operations a second.
  package struct Products: Codable, Hashable, Sendable {
    /// On one thread.
    package let oneThread: Double
    /// On all cores together.
    package let allCores: Double
  }
  /// Durable writing of results into one folder, and so onto its file system.
  package struct Writing: Codable, Hashable, Sendable {
    /// Where it was measured.
    package let folder: String
    /// Bytes a second of a result of 128 MiB, fsync included.
    package let bytesPerSecond: Double
    /// Seconds to make, put on disk and publish a result of next to nothing.
    package let smallResult: Double
  }

  /// How many cores `allCores` means.
  package let cores: Int
  /// In double precision.
  package let float64: Products
  /// In single precision.
  package let float32: Products
  /// Bytes a second that one thread stores into a tile that stays in its cache.
  package let storesToCache: Double
  /// … into memory that has been touched before.
  package let storesToMemory: Double
  /// nil where there was no folder to write to.
  package let writing: Writing?

  /// The rate of products on so many threads, in operations a second: between one and all in proportion.
  package func products(_ dtype: ScalarType, threads: Int) -> Double {
    let products = dtype == .float64 ? float64 : float32
    guard cores > 1, threads > 1 else { return products.oneThread }
    let share = Double(min(threads, cores) - 1) / Double(cores - 1)
    return products.oneThread + share * (products.allCores - products.oneThread)
  }
}

extension MachineRates {
  /// Measures this process's machine in about a second; `folder` is where results are written.
  static func measured(_ blas: BLAS, cores: Int, folder: String?) -> MachineRates {
    MachineRates(
      cores: cores, float64: products(blas, Double.self, cores),
      float32: products(blas, Float.self, cores),
      storesToCache: stores(to: TileStream<Double>.byteCount),
      storesToMemory: stores(to: 64 << 20),
      writing: folder.flatMap { try? writing(to: $0) })
  }

  private static func products<T: Scalar>(
    _ blas: BLAS, _ type: T.Type, _ cores: Int
  ) -> Products {
    let one = ProductRate.together(blas, type, threads: 1, seconds: 0.05)
    return Products(
      oneThread: one,
      allCores: cores > 1 ? ProductRate.together(blas, type, threads: cores, seconds: 0.05) : one)
  }

  /// The best of several fillings of so many bytes.
  private static func stores(to bytes: Int) -> Double {
    var numbers = [Double](repeating: 0, count: bytes / 8)
    let times = max(1, (64 << 20) / bytes)
    var best = Double.infinity
    for turn in 0..<5 {
      let took = seconds {
        var span = numbers.mutableSpan
        for time in 0..<times { span.update(repeating: Double(turn * times + time)) }
      }
      best = min(best, took)
    }
    return Double(times * bytes) / best
  }

  private static func writing(to folder: String) throws -> Writing {
    let partial = "\(folder)/.partial-run-\(getpid())"
    let tile = [Double](repeating: 1, count: TileStream<Double>.byteCount / 8)
    let tiles = 128
    let large = ResultArray(
      gradient: "outputs", path: "large", shape: [tiles * tile.count], axes: ["numbers"])
    let took = try seconds {
      let result = try PartialResult(folder: partial, arrays: [large], dtype: .float64)
      defer { result.discard() }
      for index in 0..<tiles {
        // Bytes as bytes: every bit pattern is a number, and none is missing.
        try unsafe result.write(
          tile.span.bytes, array: 0, at: index * tile.count * 8)
      }
      try result.synchronize()
    }
    let bytes = Double(tiles * tile.count * 8)

    let small = ["a", "b", "c"].map {
      ResultArray(gradient: "outputs", path: $0, shape: [1], axes: ["numbers"])
    }
    let smalls = try (0..<5).map { _ in
      try seconds {
        let result = try PartialResult(folder: partial, arrays: small, dtype: .float64)
        defer { result.discard() }
        try result.add("manifest.json", [UInt8](repeating: 32, count: 2_000))
        try result.synchronize()
        try Descriptor.synchronizeFolder(folder)
      }
    }
    return Writing(
      folder: folder, bytesPerSecond: bytes / took, smallResult: smalls.sorted()[smalls.count / 2])
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    try body()
    return Double(max(1, DispatchTime.now().uptimeNanoseconds - start)) * 1e-9
  }
}
