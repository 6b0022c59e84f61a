import Glibc
import Store

/// Waits for jobs by asking the store; asking costs microseconds when nothing has changed.
enum JobWatch {
  /// Looks with `look` until it gives something, or until the time is over: then nil.
  ///
  /// `look` runs whenever something was committed, and `idle` about every tenth of a second besides.
  static func until<Value>(
    _ store: borrowing Store, seconds: Double?, idle: () throws -> Void = {},
    look: (borrowing Store) throws -> Value?
  ) throws -> Value? {
    let end = seconds.map { monotonicSeconds + $0 }
    var version: Int64?
    var waited = 0.0
    var lastIdle = monotonicSeconds
    while true {
      let current = try store.dataVersion()
      if current != version {
        version = current
        if let value = try look(store) { return value }
      }
      let now = monotonicSeconds
      if let end, now >= end { return nil }
      if now - lastIdle > 0.1 {
        lastIdle = now
        try idle()
      }
      // 1 ms for what ends at once, up to 20 ms for what takes long.
      let pause = min(0.02, max(0.001, waited / 20), end.map { $0 - now } ?? 1)
      usleep(UInt32(pause * 1e6))
      waited += pause
    }
  }

  private static var monotonicSeconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
