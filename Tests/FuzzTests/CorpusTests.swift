import Foundation
import FuzzedParsers
import Testing

/// Every case that the fuzzer was started from or once found, fed again to the same entry.
struct CorpusTests {
  /// Bytes a parser may take besides 16 times its input: what the allocator itself asks of the kernel at once.
  private static let constant = 64 << 20
  /// Seconds for one case: not a measure of speed, but the end of a hang.
  private static let patience: UInt32 = 60

  @Test(arguments: FuzzedParser.allCases)
  func `kept cases end with an answer, in bounded memory`(parser: FuzzedParser) async throws {
    #expect(try !Self.cases(of: parser).isEmpty)
    // A process of its own: a trap, a limit of memory and an alarm end it, and not the other tests.
    await #expect(processExitsWith: .success) { [parser] in
      for path in try Self.cases(of: parser) {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        try Self.limitMemory(to: 16 * bytes.count + Self.constant)
        alarm(Self.patience)
        parser.feed(bytes)
        alarm(0)
      }
    }
  }

  /// The corpus of a parser, and the fixtures of its format.
  private static func cases(of parser: FuzzedParser) throws -> [String] {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let kept = tests.appending(path: "Fuzz/Corpus/\(parser.rawValue)").path()
    let fixtures = tests.appending(path: "Fixtures/formats").path()
    let manager = FileManager.default
    return try manager.contentsOfDirectory(atPath: kept).sorted().map { "\(kept)/\($0)" }
      + manager.contentsOfDirectory(atPath: fixtures).sorted()
      .filter { $0.hasSuffix("." + parser.rawValue) }.map { "\(fixtures)/\($0)" }
  }

  /// Lets this process take so many bytes of memory more than it has.
  private static func limitMemory(to more: Int) throws {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmData:") })
    let kilobytes = try #require(Int(line.filter(\.isNumber)))
    let limit = rlim_t((kilobytes << 10) + more)
    var limits = rlimit(rlim_cur: limit, rlim_max: rlim_t.max)
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limits) == 0)
  }
}
