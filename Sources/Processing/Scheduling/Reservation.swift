/// Cores and memory promised to running jobs: a job starts only when what it plans to use is left.
package struct Reservation: Sendable {
  /// What there is.
  package let machine: MachineLimits
  /// Cores promised.
  package private(set) var cores = 0
  /// Bytes promised.
  package private(set) var memory = 0

  /// Nothing promised yet.
  package init(of machine: MachineLimits) { self.machine = machine }

  /// What one running job was promised.
  package struct Share: Hashable, Sendable {
    /// Cores, which is also the number of its threads.
    package let cores: Int
    /// Bytes.
    package let memory: Int
  }

  /// Promises up to `cores` cores (what is free, at least one) and `memory` bytes; nil when they are not left.
  ///
  /// A job larger than the whole budget, admitted on a larger machine, runs alone rather than never.
  package mutating func take(cores wanted: Int, memory bytes: Int) -> Share? {
    guard fits(memory: bytes) else { return nil }
    let share = Share(cores: max(1, min(wanted, machine.cores - cores)), memory: bytes)
    cores += share.cores
    memory += share.memory
    return share
  }

  /// Whether a core and so many bytes are left.
  package func fits(memory bytes: Int) -> Bool {
    machine.cores > cores && (memory == 0 || bytes <= machine.memory - memory)
  }

  /// Takes a promise back.
  package mutating func giveBack(_ share: Share) {
    cores -= share.cores
    memory -= share.memory
  }
}
