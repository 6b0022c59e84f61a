private import Glibc

/// What a user has had of the machine lately: core-seconds, of which half are forgotten every day.
package struct UserShare: Sendable, Hashable {
  /// Seconds after which half of what was used counts no more.
  package static let halfLife = 86_400.0

  /// Core-seconds as they counted at `asOf`.
  package let coreSeconds: Double
  /// Unix seconds.
  package let asOf: Double

  /// States what was used by a moment.
  package init(coreSeconds: Double, asOf: Double) {
    self.coreSeconds = coreSeconds
    self.asOf = asOf
  }

  /// What still counts of it at a later time; a clock that was set back forgets nothing.
  package func coreSeconds(at time: Double) -> Double {
    coreSeconds * exp2(-max(0, time - asOf) / UserShare.halfLife)
  }

  /// The share after so many core-seconds more.
  package func adding(_ used: Double, at time: Double) -> UserShare {
    UserShare(coreSeconds: coreSeconds(at: time) + max(0, used), asOf: time)
  }
}
