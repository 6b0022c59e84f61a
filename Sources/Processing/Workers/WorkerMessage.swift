package import Formats

/// One job's order to a worker: everything that the worker needs to know.
package struct WorkOrder: Codable, Hashable, Sendable {
  /// The job's id.
  package let id: Int64
  /// Which attempt this is, from 1.
  package let attempt: Int
  /// The job's name.
  package let name: String
  /// The claimed job file.
  package let file: String
  /// The partial result folder to make.
  package let partial: String
  /// How many threads to compute with: the cores granted.
  package let threads: Int
  /// Bytes of memory that jobs may use, which the plan was made for.
  package let memory: Int
  /// Who may read the result besides the service; nil leaves that to the folders' modes.
  package let readers: AccessList?
  /// Seconds between two records of what is done for good; 0 for none.
  package let checkpoint: Double

  /// Seconds between two records unless the configuration says otherwise.
  package static let defaultCheckpoint = 10.0

  /// Writes an order.
  package init(
    id: Int64, attempt: Int, name: String, file: String, partial: String, threads: Int,
    memory: Int, checkpoint: Double, readers: AccessList? = nil
  ) {
    self.id = id
    self.attempt = attempt
    self.name = name
    self.file = file
    self.partial = partial
    self.threads = threads
    self.memory = memory
    self.readers = readers
    self.checkpoint = checkpoint
  }
}

/// What the daemon tells a worker.
package enum WorkerRequest: Codable, Hashable, Sendable {
  /// Compute this job.
  case run(WorkOrder)
  /// Stop computing the job of that id between two blocks.
  case cancel(id: Int64)
  /// The same, and keep what is done, since the job goes back into the queue.
  case giveBack(id: Int64)
}

/// What a worker tells the daemon.
package enum WorkerReply: Codable, Hashable, Sendable {
  /// The worker waits for its first order.
  case ready
  /// It goes on behind so many blocks of an earlier attempt.
  case resumed(blocks: Int, total: Int)
  /// So many of all blocks are written.
  case progress(blocks: Int, total: Int)
  /// The partial folder is complete and on disk; so many bytes of arrays.
  case written(bytes: Int)
  /// The job failed; its partial folder is gone.
  case failed(JobError)
}
