/// One place where the queue's files and its store do not agree.
package struct Finding: Hashable, Sendable {
  /// What does not agree.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A claimed file that the store does not know.
    case claimedWithoutRow = "claimed-without-row"
    /// A claimed file whose job succeeded, and so needs it no more.
    case claimedLeftover = "claimed-leftover"
    /// Something in the claimed folder that is no claimed file.
    case strangeClaim = "strange-claim"
    /// A job that waits or runs, and whose file is gone.
    case rowWithoutClaimed = "row-without-claimed"
    /// A job that runs in the store, though no daemon does.
    case runningWithoutDaemon = "running-without-daemon"
    /// A job that succeeded, and whose result folder is gone.
    case resultMissing = "result-missing"
    /// A result whose manifest is gone, unreadable or another job's.
    case manifestWrong = "manifest-wrong"
    /// An array of a result that is gone or is not as the manifest says.
    case arrayWrong = "array-wrong"
    /// Two result folders of one job.
    case publishedTwice = "published-twice"
    /// A partial result of nothing that runs.
    case partialWithoutJob = "partial-without-job"
    /// A refused file without the note that says why.
    case refusedWithoutReason = "refused-without-reason"
    /// A refused file that the store does not know.
    case refusedWithoutRow = "refused-without-row"
    /// The note of a refused file that is gone.
    case reasonWithoutFile = "reason-without-file"
    /// A request about a job that the store does not know, or that cannot be read.
    case controlOfNoJob = "control-of-no-job"
    /// A temporary file whose writer is gone.
    case staleTemporary = "stale-temporary"
    /// The log of a job that the store does not know.
    case logWithoutJob = "log-without-job"
    /// The store's counts of jobs do not agree with its rows.
    case totalsWrong = "totals-wrong"
  }

  /// What puts it right.
  package enum Cure: Hashable, Sendable {
    /// The next start of the daemon, or `nnjobs fsck --repair`.
    case start
    /// `nnjobs fsck --repair`.
    case repair
    /// A human, who does this.
    case byHand(String)
  }

  /// What does not agree.
  package let kind: Kind
  /// The file or folder it is about; the store where it is about a row.
  package let path: String
  /// What was found, as a sentence.
  package let sentence: String
  /// What puts it right.
  package let cure: Cure

  init(_ kind: Kind, _ path: String, _ sentence: String, _ cure: Cure) {
    self.kind = kind
    self.path = path
    self.sentence = sentence
    self.cure = cure
  }

  /// What to do, in words.
  package var remedy: String {
    switch cure {
    case .start: "the next start of nnjobsd puts it right, or nnjobs fsck --repair"
    case .repair: "nnjobs fsck --repair puts it right"
    case .byHand(let words): words
    }
  }
}
