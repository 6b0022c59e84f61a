import Formats
import FoundationEssentials
import Glibc
import Processing

/// What is in a published result, as its manifest says.
struct ResultListing: Sendable {
  /// One array of a result.
  struct Entry: Decodable, Sendable {
    /// The gradient it belongs to.
    let gradient: String
    /// Its file in the folder.
    let file: String
    /// Its shape.
    let shape: [Int]
    /// A name for each axis.
    let axes: [String]
    /// Its number type.
    let dtype: String
    /// Bytes of its numbers.
    let bytes: Int
    /// The digest of its file, as the manifest writes it.
    let digest: String?
  }

  private struct Manifest: Decodable {
    let name: String
    let arrays: [Entry]
    let verification: [Check]?
    let took: Took
    struct Check: Decodable {
      let check: String
      let error: Number
      let tolerance: Number
      let passed: Bool
    }
    struct Took: Decodable {
      let seconds: Double
    }
  }

  /// A number, or the text that JSON has for one that is not finite.
  private enum Number: Decodable {
    case finite(Double)
    case other(String)
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .finite(number)
      } else {
        self = .other(try container.decode(String.self))
      }
    }
  }

  /// The result's folder.
  let folder: String
  /// Its arrays.
  let arrays: [Entry]
  private let name: String
  private let seconds: Double
  private let checks: (passed: Int, total: Int)
  /// For each array what is wrong with its file, if anything; nil until `verify`.
  private var problems: [String?]?

  /// Reads a result's manifest.
  init(folder: String) throws {
    let path = folder + "/manifest.json"
    let file = try Descriptor(opening: path, O_RDONLY)
    let size = try file.size()
    guard size <= 64 << 20 else {
      throw Complaint.unreadableManifest(path, reason: "it has \(size) bytes, which is too many")
    }
    let manifest: Manifest
    do {
      manifest = try JSONDecoder().decode(
        Manifest.self, fromAnything: try file.read(count: size, at: 0))
    } catch let error as DecodingError {
      throw Complaint.unreadableManifest(path, reason: "\(error)")
    }
    self.folder = folder
    arrays = manifest.arrays
    name = manifest.name
    seconds = manifest.took.seconds
    let all = manifest.verification ?? []
    checks = (all.filter(\.passed).count, all.count)
  }

  /// Reads every array's file and compares size, header and digest with the manifest.
  mutating func verify() {
    problems = arrays.map { array in
      ArrayCheck(shape: array.shape, dtype: array.dtype, bytes: array.bytes, digest: array.digest)
        .problem(of: "\(folder)/\(array.file)")
    }
  }

  /// What `verify` found wrong, a sentence for each array that is not right.
  var damages: [String] {
    zip(arrays, problems ?? []).compactMap { array, problem in
      problem.map { "\(Wording.visible(array.file)) is not right: \(Wording.visible($0))" }
    }
  }

  /// Bytes of all arrays.
  var bytes: Int { arrays.reduce(0) { $0 &+ max(0, $1.bytes) } }

  /// For people: the folder, then a line for each array.
  func text(_ terminal: Terminal) -> String {
    var table = Table(
      [("ARRAY", .left), ("SHAPE", .left), ("TYPE", .left), ("SIZE", .right)]
        + [problems == nil ? ("AXES", .left) : ("VERIFIED", .left)])
    for (number, array) in arrays.enumerated() {
      let last = problems.map { $0[number] == nil ? "right" : "wrong" }
      table.add([
        .init(array.file), .init(PlanPage.shape(array.shape)), .init(array.dtype),
        .init(ByteCount.text(max(0, array.bytes))),
        last.map { .init($0) } ?? .init(array.axes.joined(separator: ", "), .faint),
      ])
    }
    var summary =
      "\(arrays.count) array\(arrays.count == 1 ? "" : "s"), \(ByteCount.text(bytes)), "
      + "in \(Wording.duration(seconds))"
    if checks.total > 0 { summary += "; \(checks.passed) of \(checks.total) checks passed" }
    if let problems { summary += "; \(problems.count { $0 == nil }) of \(problems.count) right" }
    return "\(folder)\n" + (arrays.isEmpty ? "" : table.text(for: terminal)) + summary + "\n"
  }

  /// For programs.
  var members: [String: JSON] {
    var members: [String: JSON] = [
      "name": .text(name), "folder": .text(folder), "bytes": .integer(bytes),
      "seconds": .number(seconds),
      "arrays": .list(arrays.indices.map { .object(self.members(of: $0)) }),
    ]
    if problems != nil { members["verified"] = .flag(damages.isEmpty) }
    return members
  }

  private func members(of number: Int) -> [String: JSON] {
    let array = arrays[number]
    var members: [String: JSON] = [
      "gradient": .text(array.gradient), "file": .text(array.file),
      "shape": .list(array.shape.map { .integer($0) }),
      "axes": .list(array.axes.map { .text($0) }), "dtype": .text(array.dtype),
      "bytes": .integer(array.bytes), "digest": .optional(array.digest),
    ]
    if let problems {
      members["verified"] = .flag(problems[number] == nil)
      members["problem"] = .optional(problems[number])
    }
    return members
  }
}
