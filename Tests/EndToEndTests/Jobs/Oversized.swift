import Foundation
import Testing

/// Small files that ask for much, and what must be said of them.
enum Oversized {
  /// Needs more than 80 MiB of memory: 34 for its parameters, 48 that a process takes before its first number.
  static let memory = JobText(
    widths: [2048, 2048, 64], samples: 64, gradients: #"["input-jacobian"]"#)

  /// Its results take a third more than the whole disk has; the file itself is sparse.
  static func disk(at path: String) throws -> JobText {
    let size = try FileManager.default.attributesOfFileSystem(forPath: path)[.systemSize]
    let bytes = try #require((size as? NSNumber)?.intValue)
    // ∂y/∂W1 has 1024 · 1024 · 1024 numbers of 8 bytes a sample.
    return JobText(
      widths: [1024, 1024], samples: bytes / 3 * 4 / (8 << 30) + 2,
      gradients: #"["parameter-jacobian"]"#)
  }

  /// `… needs A of memory, and jobs may use B here; …`, and A is larger.
  static func checkMemorySentence(_ sentence: String, file: String, available: String) throws {
    let form =
      /(.*) does not fit: it needs (.*) of memory, and jobs may use (.*) here; ask for fewer gradients or split the samples over several jobs/
    let match = try #require(try form.wholeMatch(in: sentence), "\(sentence)")
    #expect(match.1 == file)
    #expect(match.3 == available)
    #expect(try bytes(match.2) > bytes(match.3))
  }

  /// `… take A, and results has B free; …`, of a queue `B in all`, and A is larger.
  static func checkDiskSentence(_ sentence: String, file: String) throws {
    let form =
      /(.*) does not fit: its results take (.*), and results has (.*) (free|in all); ask for the factored form, for fewer outputs, parameters or samples(, or make room)?/
    let match = try #require(try form.wholeMatch(in: sentence), "\(sentence)")
    #expect(match.1 == file)
    #expect(try bytes(match.2) > bytes(match.3))
  }

  /// Reads `60.0 MiB`.
  private static func bytes(_ text: Substring) throws -> Double {
    let parts = text.split(separator: " ")
    let units = ["B": 1.0, "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40]
    let unit = try #require(parts.last.flatMap { units[String($0)] }, "\(text)")
    return try #require(Double(parts[0])) * unit
  }
}
