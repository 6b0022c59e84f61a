/// What this program calls itself.
package enum Version {
  /// The release, as `nnjobs version` prints and every manifest records.
  package static let current = "0.1.0"
}
