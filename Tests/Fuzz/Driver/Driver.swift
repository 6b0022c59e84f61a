import AllocationMeter
import FuzzedParsers
import Glibc

/// What libFuzzer calls: feeds each case to the parser that NNJOBS_FUZZ_PARSER names, and bounds its memory.
enum Driver {
  /// Bytes that a parser may hold besides its share of the input: libzip's directory alone grows 2 MiB at a time.
  static let constant = 4 << 20
  /// How many times its input a parser may hold.
  static let factor = 16

  /// The parser under test, read once.
  static let parser: FuzzedParser = {
    let name = unsafe getenv("NNJOBS_FUZZ_PARSER").map { unsafe String(cString: $0) }
    guard let parser = name.flatMap(FuzzedParser.init) else {
      let names = FuzzedParser.allCases.map(\.rawValue).joined(separator: ", ")
      print("set NNJOBS_FUZZ_PARSER to one of \(names)")
      exit(64)
    }
    return parser
  }()

  /// Feeds one case; ends the process when it took more memory than it may.
  static func feed(_ bytes: [UInt8]) {
    let parser = parser
    allocation_meter_start()
    parser.feed(bytes)
    let peak = allocation_meter_peak()
    guard peak <= factor * bytes.count + constant else {
      // Standard output would still be in its buffer when the process ends.
      let words = "\(parser.rawValue): \(peak) bytes allocated for a case of \(bytes.count) bytes\n"
      _ = unsafe words.utf8CString.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count - 1) }
      abort()
    }
  }
}

/// libFuzzer's entry (llvm.org/docs/LibFuzzer.html).
@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  Driver.feed(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
