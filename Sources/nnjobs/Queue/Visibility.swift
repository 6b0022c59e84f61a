import Glibc
import Processing
import Store

extension Call {
  /// Whether jobs of others are not shown to whoever asks: `status_visible = own`, which does not bind root.
  func showsOnlyOwn() throws(Complaint) -> Bool {
    if isRoot { return false }
    do throws(QueueError) {
      return try Configuration(environment: environment).statusVisible == .own
    } catch { throw .queue(error) }
  }

  /// The job of that id, if there is one and whoever asks may see it.
  func visibleJob(_ id: Int64, in store: borrowing Store) throws -> Job {
    guard let job = try store.job(id), try isVisible(job) else { throw Complaint.noSuchJob(id) }
    return job
  }

  /// Whether whoever asks may see a job.
  func isVisible(_ job: Job) throws(Complaint) -> Bool {
    job.uid == geteuid() ? true : !(try showsOnlyOwn())
  }
}
