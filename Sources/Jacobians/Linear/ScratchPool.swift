import Glibc
import Synchronization

/// Memory that computations work in, kept from one to the next: a fresh page costs more than what is computed in it.
final class ScratchPool: Sendable {
  /// That of this process.
  static let shared = ScratchPool()

  /// A piece of memory that nobody uses now.
  @safe private struct Kept: @unchecked Sendable {
    // Sendable: whoever takes it out of the list is the only one to have it.
    let memory: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private let kept = Mutex<[Kept]>([])

  deinit {
    kept.withLock { for piece in $0 { unsafe piece.memory.deallocate() } }
  }

  /// The most that is kept, in bytes, all pieces together: no more than what a plan allows a process beyond what it
  /// takes by itself, for what stays here beside a job's own memory is in no plan.
  static let mostKept = 24 << 20
  /// Smaller pieces are left to malloc.
  static let fewestBytes = 2 << 20

  /// What is kept now, in bytes.
  var keptBytes: Int { kept.withLock { $0.reduce(0) { $0 + $1.byteCount } } }

  /// At least `byteCount` bytes that begin at a multiple of 64, in huge pages where the system has them, holding anything.
  ///
  /// A fresh huge page costs a sixth of the small pages it stands for, and products of matrices miss fewer addresses.
  /// Returns with it the bytes it has, which `deallocate` wants to know.
  @unsafe func allocate(
    byteCount: Int
  ) -> (memory: UnsafeMutableRawPointer, byteCount: Int) {
    guard byteCount >= ScratchPool.fewestBytes else {
      return (.allocate(byteCount: byteCount, alignment: 64), byteCount)
    }
    let found = kept.withLock { kept -> Kept? in
      // Not one of twice the size or more: a plan counts what it asks for.
      let fitting = kept.indices.filter {
        kept[$0].byteCount >= byteCount && kept[$0].byteCount / 2 < byteCount
      }
      guard let best = fitting.min(by: { kept[$0].byteCount < kept[$1].byteCount }) else {
        // What was kept for another shape of job goes first, so that no plan is exceeded by it.
        for piece in kept { unsafe piece.memory.deallocate() }
        kept.removeAll()
        return nil
      }
      return kept.remove(at: best)
    }
    if let found { return unsafe (found.memory, found.byteCount) }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: ScratchPool.fewestBytes)
    // Advice alone: a system without huge pages refuses, and nothing is lost.
    unsafe _ = madvise(memory, byteCount, MADV_HUGEPAGE)
    return unsafe (memory, byteCount)
  }

  /// Gives memory of `allocate` back, to be kept for the next computation if it is not too much.
  @unsafe func deallocate(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
    let isKept =
      byteCount >= ScratchPool.fewestBytes
      && kept.withLock { kept in
        guard kept.reduce(byteCount, { $0 + $1.byteCount }) <= ScratchPool.mostKept else {
          return false
        }
        unsafe kept.append(Kept(memory: memory, byteCount: byteCount))
        return true
      }
    if !isKept { unsafe memory.deallocate() }
  }
}
