import Dispatch
import Glibc
import Synchronization

/// Whether the user has interrupted (SIGINT) or someone ended (SIGTERM) a command that must clean up first.
final class Interruption: Sendable {
  /// Sendable: every Dispatch object may be used from any thread (dispatch(3)); its Swift protocol does not say so.
  private struct Kept: @unchecked Sendable {
    let source: any DispatchSourceSignal
  }

  private let flag = Flag()
  private let kept: [Kept]

  /// Shared with the handlers, which may outlive the object that listens.
  private final class Flag: Sendable {
    let isSet = Atomic(false)
  }

  /// Listens from now on; a second signal ends the process at once.
  init() {
    kept = [SIGINT, SIGTERM].map { [flag] number in
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in
        flag.isSet.store(true, ordering: .relaxed)
        _ = signal(number, SIG_DFL)
      }
      source.activate()
      return Kept(source: source)
    }
  }

  /// Whether it has happened.
  var happened: Bool { flag.isSet.load(ordering: .relaxed) }

  /// Listens no more.
  func end() {
    for kept in kept { kept.source.cancel() }
  }
}
