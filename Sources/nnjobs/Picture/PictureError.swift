/// Why an array cannot be shown as a picture, and what would do.
struct PictureError: Error, Hashable, Sendable {
  /// What stands in the way.
  let reason: String
  /// What would be right.
  let remedy: String?

  /// Describes a picture that cannot be made.
  init(_ reason: String, remedy: String? = nil) {
    self.reason = reason
    self.remedy = remedy
  }

  /// `the array has 3 axes (360 × 10 × 64); fix leading ones with --index`
  var sentence: String { reason + (remedy.map { "; " + $0 } ?? "") }
}
