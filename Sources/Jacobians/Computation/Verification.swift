/// The seed's own test of a job, carried out on some of its samples.
package struct Verification: Hashable, Sendable {
  /// One comparison of two ways to the same numbers.
  package struct Check: Hashable, Sendable {
    /// What is compared with what.
    package let name: String
    /// The largest difference, relative to the largest entry.
    package let error: Double
    /// The largest error that passes.
    package let tolerance: Double
    /// How many samples were compared.
    package let samples: Int
    /// Whether the error is within the tolerance.
    package var passed: Bool { error <= tolerance }
  }

  /// All comparisons.
  package let checks: [Check]
  /// Whether all of them passed.
  package var passed: Bool { checks.allSatisfy(\.passed) }
}
