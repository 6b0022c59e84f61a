import Dispatch
import Glibc
import Synchronization

/// Threads that share the independent parts of a step of work; what a part computes depends on its number alone.
struct Team: Sendable {
  /// How many threads may work at once.
  let threads: Int

  /// Does parts 0..<count, taken in order by threads that are free; `member` counts threads from 0.
  ///
  /// The first error is thrown when all threads have stopped.
  func share(_ count: Int, _ body: @Sendable (_ part: Int, _ member: Int) throws -> Void) throws {
    let members = min(threads, count)
    guard members > 1 else {
      for part in 0..<count { try body(part, 0) }
      return
    }
    let next = Atomic(0)
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: members) { member in
      do {
        while true {
          let part = next.add(1, ordering: .relaxed).oldValue
          guard part < count else { return }
          try body(part, member)
        }
      } catch {
        next.store(count, ordering: .relaxed)
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }
}

/// What one thread waits for and another tells, once: that a part is done which was taken before by a running thread.
final class Signal: Sendable {
  private let isSet = Atomic(false)

  /// Tells.
  func set() { isSet.store(true, ordering: .releasing) }

  /// Waits; for so short a time that a thread is not put to sleep.
  func wait() {
    var turns = 0
    while !isSet.load(ordering: .acquiring) {
      turns += 1
      if turns > 64 { sched_yield() }
    }
  }
}
