import Store
import Testing

/// The transitions as docs/store.md shows them, written down a second time.
private let allowed: [JobState: [JobEvent: JobState]] = [
  .queued: [.start: .running, .cancel: .cancelled, .fail: .failed],
  .running: [.succeed: .succeeded, .fail: .failed, .cancel: .cancelled, .requeue: .queued],
  .failed: [.retry: .queued],
  .cancelled: [.retry: .queued],
  .succeeded: [:],
  .refused: [:],
]

@Suite struct TransitionTests {
  @Test(arguments: JobState.allCases, JobEvent.allCases)
  func `the table allows what the documentation says`(state: JobState, event: JobEvent) {
    #expect(event.destination(from: state) == allowed[state]?[event])
  }

  @Test(arguments: JobState.allCases, JobEvent.allCases)
  func `the store does what the table says and nothing else`(
    state: JobState, event: JobEvent
  ) throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try bring(1, to: state, in: store)
    let before = try #require(try store.job(1))
    #expect(before.state == state)
    let happened = try apply(event, to: before, in: store)
    let after = try #require(try store.job(1))
    if let destination = event.destination(from: state) {
      #expect(happened)
      #expect(after.state == destination)
      #expect((after.finished != nil) == destination.isFinal)
      #expect((after.owner != nil) == (destination == .running))
      #expect(after.attempts == before.attempts + (event == .start ? 1 : 0))
    } else {
      #expect(!happened)
      #expect(after == before)
    }
    var expected: [JobState: Int] = [:]
    for state in JobState.allCases { expected[state] = state == after.state ? 1 : 0 }
    #expect(try store.totals() == expected)
  }

  @Test func `an attempt that no longer runs cannot end, return or report a job`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.start(1, owner: "boot/a/0") == 1)
    #expect(try store.requeue(1, attempt: 1, countingAttempt: true))
    #expect(try store.start(1, owner: "boot/a/1") == 2)
    let running = try store.job(1)
    #expect(try !store.finish(1, attempt: 1, .succeeded(result: "a", bytes: 1)))
    #expect(try !store.finish(1, attempt: 1, .failed(.sample)))
    #expect(try !store.finish(1, attempt: 1, .cancelled(.sample)))
    #expect(try !store.requeue(1, attempt: 1, countingAttempt: true))
    #expect(try !store.progress(1, attempt: 1, 0.5))
    #expect(try store.job(1) == running)
    #expect(try store.progress(1, attempt: 2, 0.5))
    #expect(try store.job(1)?.progress == 0.5)
    #expect(try store.finish(1, attempt: 2, .succeeded(result: "a", bytes: 77), at: 5))
    let done = try #require(try store.job(1))
    #expect(done.result == "a")
    #expect(done.bytes == 77)
    #expect(done.progress == 1)
    #expect(done.finished == 5)
  }

  @Test func `a retry forgives attempts but never gives an attempt's number twice`() throws {
    let folder = try TemporaryFolder()
    let store = try Store(opening: folder.store, access: .readWrite)
    try store.admit(.sample(1))
    #expect(try store.start(1, owner: "boot/a/0") == 1)
    #expect(try store.finish(1, attempt: 1, .failed(.sample)))
    #expect(try store.job(1)?.countedAttempts == 1)
    #expect(try store.retry(1))
    let again = try #require(try store.job(1))
    #expect(again.attempts == 1)
    #expect(again.countedAttempts == 0)
    #expect(again.reasonCode == nil)
    #expect(again.started == nil)
    #expect(try store.start(1, owner: "boot/a/0") == 2)
    // The worker of attempt 1 may still be there.
    #expect(try !store.finish(1, attempt: 1, .failed(.sample)))
    #expect(try store.requeue(1, attempt: 2, countingAttempt: false))
    #expect(try store.job(1)?.countedAttempts == 0)
    #expect(try store.start(1, owner: "boot/a/0") == 3)
    #expect(try store.requeue(1, attempt: 3, countingAttempt: true))
    #expect(try store.job(1)?.countedAttempts == 1)
  }

  private func bring(_ id: Int64, to state: JobState, in store: borrowing Store) throws {
    switch state {
    case .refused: try store.refuse(.sample(id), because: .sample)
    case .queued: try store.admit(.sample(id))
    case .running, .succeeded, .failed, .cancelled:
      try store.admit(.sample(id))
      #expect(try store.start(id, owner: "boot/a/0") == 1)
      let outcome: JobOutcome? =
        switch state {
        case .succeeded: .succeeded(result: "a", bytes: 1)
        case .failed: .failed(.sample)
        case .cancelled: .cancelled(.sample)
        default: nil
        }
      if let outcome { #expect(try store.finish(id, attempt: 1, outcome)) }
    }
  }

  /// Every way the store offers to make the event happen, whatever the job's state; true if one did.
  private func apply(_ event: JobEvent, to job: Job, in store: borrowing Store) throws -> Bool {
    let attempt = job.attempts
    switch event {
    case .start: return try store.start(job.id, owner: "boot/b/0") != nil
    case .succeed:
      return try store.finish(job.id, attempt: attempt, .succeeded(result: "b", bytes: 2))
    case .fail:
      let ended = try store.finish(job.id, attempt: attempt, .failed(.sample))
      return try ended || store.failQueued(job.id, because: .sample)
    case .cancel:
      let ended = try store.finish(job.id, attempt: attempt, .cancelled(.sample))
      return try ended || store.cancelQueued(job.id, because: .sample)
    case .requeue: return try store.requeue(job.id, attempt: attempt, countingAttempt: true)
    case .retry: return try store.retry(job.id)
    }
  }
}
