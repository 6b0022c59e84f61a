/// One job as the store knows it: a row.
package struct Job: Sendable, Hashable {
  /// Grows forever, never given twice.
  package let id: Int64
  /// The job file's name without its ending.
  package let name: String
  /// The claimed file's name in the state folder, or the refused file's name.
  package let file: String
  /// Who owns it: the owner of the dropped file.
  package let uid: UInt32
  /// How far it is.
  package let state: JobState
  /// Higher goes first; equal ones in order of their ids.
  package let priority: Int
  /// When it was admitted or refused, Unix seconds.
  package let submitted: Double
  /// When its last attempt started.
  package let started: Double?
  /// When it reached a final state.
  package let finished: Double?
  /// How often it was started, ever: the number of its last attempt.
  package let attempts: Int
  /// How many of the attempts do not count towards quarantine: before a retry, or returned when the daemon stopped.
  package let forgivenAttempts: Int
  /// Who runs it: `bootid/instance/slot`.
  package let owner: String?
  /// Why it failed, was cancelled or refused: a word for programs.
  package let reasonCode: String?
  /// Why it failed, was cancelled or refused: a sentence.
  package let reasonText: String?
  /// The folder in `results/`.
  package let result: String?
  /// Bytes of its result: planned, and after success written.
  package let bytes: Int64
  /// Peak memory of its plan, bytes.
  package let memory: Int64
  /// Cores of its plan.
  package let cores: Int
  /// How much is done, 0…1.
  package let progress: Double
  /// The dropped file's inode; with `modified`, how its submitter finds the job.
  package let inode: UInt64
  /// The dropped file's modification time, nanoseconds since 1970.
  package let modified: Int64
  /// Whether its owner or root holds it back: it does not start before it is released.
  package let isHeld: Bool
  /// When it may start again after it was put off, Unix seconds; nil unless it is put off.
  package let notBefore: Double?
  /// How often it was put off in a row, which decides for how long the next time.
  package let delays: Int
  /// Seconds that an attempt may run; nil means as long as it takes.
  package let timeLimit: Double?
  /// Bytes of disk that its result is planned to take, headers included.
  package let disk: Int64
  /// Cores that the running attempt was given, 0 unless it runs.
  package let grantedCores: Int
  /// How many attempts went on where another had stopped, ever.
  package let resumptions: Int
  /// How much of the job, 0…1, the last of them did not have to compute.
  package let resumedFrom: Double?

  /// Attempts since the last retry that ended badly or still run.
  package var countedAttempts: Int { attempts - forgivenAttempts }
}

/// A job to be admitted, or a file to be recorded as refused.
package struct NewJob: Sendable, Hashable {
  /// The id that its claimed file already carries; nil lets the store give the next one.
  package let id: Int64?
  /// The job file's name without its ending.
  package let name: String
  /// The claimed file's name in the state folder, or the refused file's name.
  package let file: String
  /// The owner of the dropped file.
  package let uid: UInt32
  /// Higher goes first.
  package let priority: Int
  /// Planned bytes of the result.
  package let bytes: Int64
  /// Planned peak memory, bytes.
  package let memory: Int64
  /// Planned cores.
  package let cores: Int
  /// The dropped file's inode.
  package let inode: UInt64
  /// The dropped file's modification time, nanoseconds since 1970.
  package let modified: Int64
  /// Seconds that an attempt may run; nil means as long as it takes.
  package let timeLimit: Double?
  /// Bytes of disk that its result is planned to take, headers included.
  package let disk: Int64

  /// Describes a job to be admitted.
  package init(
    id: Int64? = nil, name: String, file: String, uid: UInt32, priority: Int = 0, bytes: Int64 = 0,
    memory: Int64 = 0, cores: Int = 1, inode: UInt64, modified: Int64, timeLimit: Double? = nil,
    disk: Int64 = 0
  ) {
    self.id = id
    self.name = name
    self.file = file
    self.uid = uid
    self.priority = priority
    self.bytes = bytes
    self.memory = memory
    self.cores = cores
    self.inode = inode
    self.modified = modified
    self.timeLimit = timeLimit
    self.disk = disk
  }
}

/// Why a job has no result: a word for programs and a sentence for people.
package struct JobReason: Sendable, Hashable {
  /// A word, as `quarantined` or `disk-full`.
  package let code: String
  /// A sentence with the numbers and the cure.
  package let text: String

  /// States a reason.
  package init(code: String, text: String) {
    self.code = code
    self.text = text
  }
}

/// How an attempt ended.
package enum JobOutcome: Sendable, Hashable {
  /// Published as `result` in `results/`, `bytes` long.
  case succeeded(result: String, bytes: Int64)
  /// No result.
  case failed(JobReason)
  /// Ended by its owner or root.
  case cancelled(JobReason)

  /// The event that this outcome is.
  package var event: JobEvent {
    switch self {
    case .succeeded: .succeed
    case .failed: .fail
    case .cancelled: .cancel
    }
  }
}
