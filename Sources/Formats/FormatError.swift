/// A file that is not what it should be: which, where in it, why, and what would be right.
package struct FormatError: Error, Hashable, Sendable {
  /// The file as the user named it.
  package let file: String
  /// Where in it: `network.layers[1].activation`, `line 3, column 17`, `byte 4096`.
  package let place: String?
  /// What is wrong there.
  package let reason: String
  /// What would be right, where that can be said.
  package let remedy: String?
  /// Whether more bytes could still make it right: a file that is being written ends too early.
  package let isIncomplete: Bool

  /// Describes what is wrong with a file.
  package init(
    file: String, place: String? = nil, reason: String, remedy: String? = nil,
    isIncomplete: Bool = false
  ) {
    self.file = file
    self.place = place
    self.reason = reason
    self.remedy = remedy
    self.isIncomplete = isIncomplete
  }

  /// `cannot read jobs/a.json: network.layers[1].activation: no activation "tahn"; allowed: identity, tanh, …`
  package var sentence: String {
    "cannot read \(file): " + (place.map { $0 + ": " } ?? "") + reason
      + (remedy.map { "; " + $0 } ?? "")
  }
}
