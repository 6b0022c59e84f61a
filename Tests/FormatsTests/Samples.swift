import Formats
import Foundation
import Jacobians

/// Files that tests read, beside the script that made them.
enum Fixture {
  /// The path of a fixture.
  static func path(_ name: String) -> String {
    let here = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return here.appending(path: "Fixtures/formats").appending(path: name).path()
  }

  /// The bytes of a fixture.
  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path(name))))
  }
}

/// A folder that goes with all its files.
final class TemporaryFolder {
  /// Its path.
  let path: String

  /// Makes a new folder.
  init() throws {
    path = FileManager.default.temporaryDirectory.path() + "/nnjobs-formats-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: path + "/" + name))
    return path + "/" + name
  }
}

/// Job documents in parts, so that a test can replace one.
enum Sample {
  /// A job of one layer.
  static let json = """
    {"version": 1,
     "network": {"type": "feed-forward", "layers": [
       {"weights": [[0.5, -1.0], [0.25, 2.0]], "biases": [0.0, 0.1], "activation": "tanh"}]},
     "inputs": [[1, 2], [3, 4], [5, 6]],
     "gradients": ["outputs"]}
    """

  /// A job of these layers, inputs and other keys.
  static func job(
    layers: String = #"[{"weights": [[1, 2]], "activation": "tanh"}]"#, inputs: String = "[[1, 2]]",
    more: String = ""
  ) -> String {
    #"{"version": 1, "network": {"type": "feed-forward", "layers": \#(layers)}, "inputs": \#(inputs), "#
      + #""gradients": ["outputs"]\#(more)}"#
  }

  /// A safetensors file with this header and so many bytes of data.
  static func safetensors(header: String, data: [UInt8] = []) -> [UInt8] {
    let text = Array(header.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
  }

  /// A safetensors file that holds a document and tensors of double-precision numbers.
  static func safetensors(
    document: String, tensors: [(name: String, shape: [Int], numbers: [Double])]
  ) -> [UInt8] {
    var members = [("__metadata__", JSONText.object([("nnjob", JSONText.text(document))]))]
    var data: [UInt8] = []
    for tensor in tensors {
      let start = data.count
      for number in tensor.numbers { data += bytes(number.bitPattern) }
      members.append(
        (
          tensor.name,
          "{\"dtype\":\"F64\",\"shape\":\(tensor.shape),\"data_offsets\":[\(start),\(data.count)]}"
        ))
    }
    var header = JSONText.object(members)
    while header.utf8.count % 8 != 0 { header += " " }
    return safetensors(header: header, data: data)
  }

  /// A job of one layer in a safetensors file.
  static let safetensors = safetensors(
    document: job(
      layers: #"[{"weights": {"tensor": "w"}, "activation": "relu"}]"#, inputs: #"{"tensor": "x"}"#),
    tensors: [("w", [1, 2], [3, 4]), ("x", [2, 2], [5, 6, 7, 8])])

  /// The bytes of an integer, the lowest first.
  static func bytes(_ integer: some FixedWidthInteger) -> [UInt8] {
    (0..<(integer.bitWidth / 8)).map { UInt8(truncatingIfNeeded: integer >> (8 * $0)) }
  }
}

/// The numbers of `values` in an array.
func numbers<T: Scalar>(_ values: Values<T>) -> [T] {
  var numbers: [T] = []
  let span = values.span
  for i in span.indices { numbers.append(span[i]) }
  return numbers
}

/// What `body` threw as a `FormatError`, or nil when it threw nothing.
func failure(_ body: () throws(FormatError) -> Void) -> FormatError? {
  do throws(FormatError) {
    try body()
    return nil
  } catch {
    return error
  }
}
