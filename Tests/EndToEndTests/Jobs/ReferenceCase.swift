import Formats
import Foundation
import Testing

/// A case of `Tests/Fixtures/reference`: a job document, and what another program computed for it.
struct ReferenceCase: Sendable, CustomTestStringConvertible {
  /// The case's folder.
  let name: String
  var testDescription: String { name }

  /// Every case of a feed-forward network.
  static let feedForward = [
    "deep", "log-softmax", "many-samples", "one-layer", "relu-no-bias", "single-unit", "softmax",
    "softmax-inside", "two-layer", "wide",
  ].map(ReferenceCase.init)

  /// Every case of a recurrent network.
  static let recurrent = [
    "recurrent-initial-state", "recurrent-long", "recurrent-one-step", "recurrent-single-layer",
    "recurrent-two-layer",
  ].map(ReferenceCase.init)

  private static let folder =
    URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/reference"

  /// The job document with other gradients and another dtype.
  func document(gradients: String, dtype: String) throws -> String {
    let path = "\(ReferenceCase.folder)/\(name)/job.json"
    var text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    text.replace(/"gradients": \[[^\]]*\]/, with: "\"gradients\": \(gradients)")
    text.replace("\"dtype\": \"float64\"", with: "\"dtype\": \"\(dtype)\"")
    return text
  }

  /// What is expected, by the paths that results have.
  func expected() throws -> NPZFile {
    try NPZFile(examining: "\(ReferenceCase.folder)/\(name)/expected.npz")
  }
}
