import Glibc

/// What happens when a mapped job file becomes shorter, or its disk fails, while it is computed: SIGBUS.
///
/// No check before can exclude it, since the file's owner may cut it at any time; nothing is lost but the attempt.
package enum BusError {
  /// The status this process then ends with.
  package static let exitStatus: Int32 = 74

  /// Makes the process say so and end, instead of crashing.
  package static func exitCleanly() {
    _ = signal(SIGBUS) { _ in
      let words: StaticString =
        "nnjobs: a file that was being computed became shorter, or could not be read\n"
      _ = unsafe write(2, words.utf8Start, words.utf8CodeUnitCount)
      _exit(BusError.exitStatus)
    }
  }
}
