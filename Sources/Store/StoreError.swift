private import CSQLite
private import Glibc

/// Something the store could not do: what, in which file, why, and what would cure it.
package struct StoreError: Error, Hashable, Sendable {
  /// What went wrong, as far as a caller acts on it.
  package enum Kind: Hashable, Sendable {
    /// There is no store file.
    case missing
    /// A newer program made the store; this one must not touch it.
    case newerSchema
    /// An older program made the store, and this one may only read.
    case olderSchema
    /// The file is damaged, or no store of ours.
    case unreadable
    /// Another process held the store longer than the busy timeout.
    case busy
    /// The disk is full.
    case full
    /// The file or its folder may not be read or written.
    case notPermitted
    /// The disk failed; nothing of the last transaction counts as recorded, and nobody may try it again.
    case inputOutput
    /// A row broke a rule of the schema, as an id that is taken.
    case conflict
    /// Anything else SQLite reports.
    case other
  }

  /// What went wrong.
  package let kind: Kind
  /// SQLite's extended result code, 0 where SQLite did not fail.
  package let code: Int32
  /// What was tried, as `open` or `record the start of a job in`.
  package let operation: String
  /// The store's file.
  package let file: String
  /// Why it failed.
  package let reason: String
  /// What would cure it, where that can be said.
  package let remedy: String?

  /// Describes a failure found by this program.
  package init(
    _ kind: Kind, _ operation: String, _ file: String, reason: String, remedy: String? = nil
  ) {
    self.kind = kind
    self.code = 0
    self.operation = operation
    self.file = file
    self.reason = reason
    self.remedy = remedy
  }

  /// Describes a failure that SQLite reported with `code`, an extended result code, and `message`.
  ///
  /// `system` is the error number of the system call behind it, 0 where none is known.
  init(code: Int32, system: Int32 = 0, message: String, _ operation: String, _ file: String) {
    // A file beside the store that could not be made or grown: nothing was written yet that could be half there.
    let isBeside = [SQLITE_CANTOPEN, StoreError.shmSize, StoreError.shmOpen].contains(code)
    let isFull = isBeside && [ENOSPC, EDQUOT].contains(system)
    (kind, remedy) = Self.meaning(ofPrimary: isFull ? SQLITE_FULL : code & 0xFF)
    self.code = code
    self.operation = operation
    self.file = file
    reason = "\(message) (SQLite \(code))"
  }

  /// `cannot open the store .nnjobs/store.sqlite: file is not a database (SQLite 26); move it away …`
  package var sentence: String {
    "cannot \(operation) the store \(file): \(reason)" + (remedy.map { "; " + $0 } ?? "")
  }

  /// SQLITE_IOERR_SHMSIZE and SQLITE_IOERR_SHMOPEN, which are no constants to Swift.
  private static let shmSize = SQLITE_IOERR | 19 << 8
  private static let shmOpen = SQLITE_IOERR | 18 << 8

  /// What helps against a store that cannot be read.
  static let remedyOfDamage =
    "stop nnjobsd and run `nnjobs fsck --rebuild`, which keeps the file aside and makes the store anew "
    + "from the queue's files"

  private static func meaning(ofPrimary code: Int32) -> (Kind, String?) {
    switch code {
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      (.unreadable, StoreError.remedyOfDamage)
    case SQLITE_BUSY, SQLITE_LOCKED:
      (.busy, "another process is writing; try again")
    case SQLITE_FULL:
      (.full, "free some space on its disk")
    case SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_AUTH:
      (.notPermitted, "check who may read and write the file and its folder")
    case SQLITE_IOERR:
      (.inputOutput, "check the disk")
    case SQLITE_CONSTRAINT:
      (.conflict, nil)
    default:
      (.other, nil)
    }
  }
}
