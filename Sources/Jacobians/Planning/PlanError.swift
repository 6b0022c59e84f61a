/// A request that cannot be planned, with the place in the job document and the remedy.
package struct PlanError: Error, Hashable, Sendable {
  /// Where in the document, as `gradients[2].parameters`.
  package let place: String
  /// What is wrong there.
  package let reason: String
  /// What would be right, where that can be said.
  package let remedy: String?

  /// Describes a request that cannot be planned.
  package init(place: String, reason: String, remedy: String? = nil) {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }
}

extension PlanError: CustomStringConvertible {
  /// `gradients[1].form: no form "sparse"; allowed: "dense", "factored"`
  package var description: String { "\(place): \(reason)" + (remedy.map { "; " + $0 } ?? "") }
}
