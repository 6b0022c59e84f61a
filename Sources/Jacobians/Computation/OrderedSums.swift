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
    /// The block whose share, and all later ones, wait until the sums before it are kept.
    var held: Int?
    var isAbandoned = false
    var waiting: [Int: DispatchSemaphore] = [:]
  }

  private let state: Mutex<State>

  /// How many sums there are.
  let count: Int

  /// Begins with `count` zeros, or with the sums of the blocks before `next`.
  init(count: Int, after sums: [T]? = nil, next: Int = 0) {
    precondition(sums.map { $0.count == count } ?? true, "as many sums as there are")
    self.count = count
    state = Mutex(State(sums: sums ?? [T](repeating: 0, count: count), next: next))
  }

  /// Adds the share of one block, after those of all blocks before it; false when the job was abandoned.
  func add(_ share: Span<T>, ofBlock block: Int) -> Bool {
    while true {
      let turn = state.withLock { state in
        if state.isAbandoned { return Turn.abandoned }
        guard state.next == block, state.held != block else {
          let semaphore = DispatchSemaphore(value: 0)
          state.waiting[block] = semaphore
          return Turn.early(semaphore)
        }
        var sums = state.sums.mutableSpan
        Jacobians.add(share, to: &sums)
        state.next += 1
        return Turn.added(
          next: state.next == state.held ? nil : state.waiting.removeValue(forKey: state.next))
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

  /// From now on holds back the share of `block` and all later ones; false if it was added already.
  func hold(at block: Int) -> Bool {
    state.withLock { state in
      guard state.next <= block else { return false }
      state.held = block
      return true
    }
  }

  /// Lets go on who was held back.
  func release() {
    let first = state.withLock { state in
      let held = state.held
      state.held = nil
      return held.flatMap { $0 == state.next ? state.waiting.removeValue(forKey: $0) : nil }
    }
    first?.signal()
  }

  /// Whether these are the sums of exactly the blocks before `block`.
  func isAt(block: Int) -> Bool { state.withLock { $0.next == block } }

  /// Hands over the sums' bytes, while nobody can add.
  func hand(to write: (RawSpan) throws -> Void) throws {
    try state.withLock { try write(unsafe $0.sums.span.bytes) }
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
