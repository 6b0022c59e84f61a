import Dispatch
import FoundationEssentials
import Glibc
import Jacobians

/// The engine alone, for scripts that compare it: warm, in one process, into memory that was touched before.
///
///     bench job FILE RUNS THREADS [RESULTS]    # a job file, as `nnjobs run` takes it; RESULTS: the arrays' bytes
///     bench product M K N plain|transposed SECONDS THREADS float64|float32 [ACROSS BYTES]
///
/// `job` prints the seconds of every run after a first one that is not counted; `product` how many operations a
/// second OpenBLAS does on (M × K)(K × N), one product in each thread at a time; if transposed, M × K is stored as
/// K × M. All go to the same place; with ACROSS and BYTES each to the next one of an array of so many bytes that has
/// the columns of so many products side by side, as a Jacobian has those of its units. Both print one line of JSON.
@main enum Bench {
  static func main() throws {
    do { try run() } catch {
      var text = "bench: \(error)\n"
      text.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
      exit(1)
    }
  }

  private static func run() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch (arguments.first, arguments.count) {
    case ("job", 4...5):
      guard let runs = Int(arguments[2]), let threads = Int(arguments[3]) else { throw Usage() }
      try JobBench.run(
        arguments[1], runs: runs, threads: threads,
        results: arguments.count == 5 ? arguments[4] : nil)
    case ("product", 8), ("product", 10):
      let sizes = arguments[1...3].compactMap { Int($0) }
      guard sizes.count == 3, let seconds = Double(arguments[5]), let threads = Int(arguments[6]),
        let dtype = ScalarType(rawValue: arguments[7])
      else { throw Usage() }
      let extents = arguments.dropFirst(8).compactMap { Int($0) }
      guard extents.count == arguments.count - 8 else { throw Usage() }
      try ProductBench(
        rows: sizes[0], depth: sizes[1], columns: sizes[2],
        isTransposed: arguments[4] == "transposed", across: extents.first ?? 1,
        byteCount: (extents.last ?? 0) / threads
      ).run(atLeast: seconds, threads: threads, dtype: dtype)
    default: throw Usage()
    }
  }
}

/// What is thrown when the arguments are none of those above.
struct Usage: Error, CustomStringConvertible {
  let description =
    "usage: bench job FILE RUNS THREADS [RESULTS] | product M K N plain|transposed SECONDS THREADS TYPE [ACROSS BYTES]"
}

extension ContinuousClock {
  /// How long something takes, in seconds.
  func seconds(_ body: () throws -> Void) rethrows -> Double {
    let parts = try measure(body).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}

/// One line of JSON on standard output.
func report(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
