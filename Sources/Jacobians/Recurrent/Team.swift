import Dispatch
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
