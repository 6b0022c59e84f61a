import Dispatch
import Synchronization

/// An array of sums over all samples of a job, to which threads add their blocks in the order of blocks.
///
/// The order of additions, and so every bit of the sums, is the same for any number of threads. A thread that
/// is early waits: blocks are taken in order, so all earlier ones are in the hands of threads that run.
final class OrderedSums<T: Scalar>: Sendable {
  private struct State {
    var sums: [T]
    var next = 0
    var isAbandoned = false
    var waiting: [Int: DispatchSemaphore] = [:]
  }

  private let state: Mutex<State>

  /// How many sums there are.
  let count: Int

  /// Begins with `count` zeros.
  init(count: Int) {
    self.count = count
    state = Mutex(State(sums: [T](repeating: 0, count: count)))
  }

  /// Adds the share of one block, after those of all blocks before it; false when the job was abandoned.
  func add(_ share: Span<T>, ofBlock block: Int) -> Bool {
    while true {
      let turn = state.withLock { state in
        if state.isAbandoned { return Turn.abandoned }
        guard state.next == block else {
          let semaphore = DispatchSemaphore(value: 0)
          state.waiting[block] = semaphore
          return Turn.early(semaphore)
        }
        var sums = state.sums.mutableSpan
        Jacobians.add(share, to: &sums)
        state.next += 1
        return Turn.added(next: state.waiting.removeValue(forKey: state.next))
      }
      switch turn {
      case .abandoned: return false
      case .early(let semaphore): semaphore.wait()
      case .added(let next):
        next?.signal()
        return true
      }
    }
  }

  /// Wakes all who wait, as a block before theirs will not come.
  func abandon() {
    let waiting = state.withLock { state in
      state.isAbandoned = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for semaphore in waiting.values { semaphore.signal() }
  }

  /// The sums, after the last block; they are gone then.
  var taken: [T] {
    state.withLock { state in
      defer { state.sums = [] }
      return state.sums
    }
  }
}

/// What came of asking for one's turn.
private enum Turn {
  case added(next: DispatchSemaphore?)
  case early(DispatchSemaphore)
  case abandoned
}
