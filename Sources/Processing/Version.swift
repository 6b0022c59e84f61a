/// What this program calls itself.
package enum Version {
  /// The release, as `nnjobs version` prints and every manifest records.
  package static let current = "0.1.0"
  /// The day of the release, as manual pages show it.
  package static let date = "November 25, 2026"
}
