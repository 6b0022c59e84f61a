import Formats
import Glibc

extension Finding {
  /// Puts right what a start of the daemon leaves alone; whatever else it is about stays as it is.
  package func repair(in folders: QueueFolders) throws(QueueFault) {
    guard cure == .repair else { return }
    switch kind {
    case .refusedWithoutReason:
      guard let name = path.split(separator: "/").last else { return }
      try QueueFault.files { () throws(SystemError) in
        try Refusal.restoreNote(of: String(name), in: folders)
      }
    case .controlOfNoJob, .logWithoutJob, .staleTemporary: unsafe unlink(path)
    case .claimedWithoutRow, .claimedLeftover, .strangeClaim, .rowWithoutClaimed,
      .runningWithoutDaemon, .resultMissing, .manifestWrong, .arrayWrong, .publishedTwice,
      .partialWithoutJob, .refusedWithoutRow, .reasonWithoutFile, .totalsWrong:
      break
    }
  }
}
