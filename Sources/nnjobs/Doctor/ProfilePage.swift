import Formats
import Jacobians
import Processing

/// What was measured of this machine.
enum ProfilePage {
  /// A table of kernels, then the rates, for people.
  static func text(_ profile: MachineProfile, _ terminal: Terminal) -> String {
    var table = Table([
      ("KERNELS", .left), ("CHECKS", .right), ("GFLOP/S", .right), ("FLOAT64", .right),
      ("FLOAT32", .right), ("", .left),
    ])
    for kernel in profile.kernels {
      func best(_ dtype: String) -> String {
        let rates = kernel.rates.filter { $0.dtype == dtype }.map(\.gigaflops)
        return rates.max().map { Wording.decimals($0, 1) } ?? ""
      }
      table.add([
        .init(kernel.kernel), .init("\(kernel.checks)"),
        .init(kernel.rates.isEmpty ? "" : Wording.decimals(kernel.score, 1)),
        .init(best("float64")),
        .init(best("float32")),
        .init(kernel.failure ?? (kernel.kernel == profile.kernel ? "chosen" : "")),
      ])
    }
    return table.text(for: terminal) + rates(profile)
  }

  private static func rates(_ profile: MachineProfile) -> String {
    guard let rates = profile.rates else { return "" }
    func giga(_ value: Double) -> String { Wording.decimals(value * 1e-9, 1) }
    var lines = [
      "products, float64   \(giga(rates.float64.oneThread)) GFLOP/s on one thread, "
        + "\(giga(rates.float64.allCores)) on \(rates.cores)",
      "products, float32   \(giga(rates.float32.oneThread)) GFLOP/s on one thread, "
        + "\(giga(rates.float32.allCores)) on \(rates.cores)",
      "stores              \(giga(rates.storesToCache)) GB/s into a tile in cache, "
        + "\(giga(rates.storesToMemory)) into memory, on one thread",
    ]
    if let writing = rates.writing {
      lines.append(
        "durable results     \(Wording.decimals(writing.bytesPerSecond * 1e-9, 2)) GB/s into "
          + "\(writing.folder), \(Wording.decimals(writing.smallResult * 1e3, 2)) ms for a small one"
      )
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// For programs.
  static func json(_ profile: MachineProfile) -> JSON {
    let kernels = profile.kernels.map { kernel in
      JSON.object([
        "kernel": .text(kernel.kernel), "checks": .integer(kernel.checks),
        "failure": .optional(kernel.failure), "score": .number(kernel.score),
        "rates": .list(
          kernel.rates.map { rate in
            .object([
              "product": .text(rate.product), "dtype": .text(rate.dtype),
              "gigaflops": .number(rate.gigaflops),
            ])
          }),
      ])
    }
    return .object([
      "measured": .text(Wording.utc(profile.measured)), "processor": .text(profile.processor),
      "cores": .integer(profile.cores), "library": .text(profile.library.version),
      "library_path": .text(profile.library.path), "kernel": .optional(profile.kernel),
      "kernels": .list(kernels), "rates": profile.rates.map(json) ?? .null,
    ])
  }

  private static func json(_ rates: MachineRates) -> JSON {
    func products(_ products: MachineRates.Products) -> JSON {
      .object([
        "one_thread": .number(products.oneThread), "all_cores": .number(products.allCores),
      ])
    }
    return .object([
      "float64": products(rates.float64), "float32": products(rates.float32),
      "stores_to_cache": .number(rates.storesToCache),
      "stores_to_memory": .number(rates.storesToMemory),
      "writing": rates.writing.map { writing in
        .object([
          "folder": .text(writing.folder), "bytes_per_second": .number(writing.bytesPerSecond),
          "small_result_seconds": .number(writing.smallResult),
        ])
      } ?? .null,
    ])
  }
}
