import Dispatch
import Glibc
import Synchronization

/// The Dispatch sources somebody listens to, kept alive until they are cancelled together.
final class EventSources: Sendable {
  /// Sendable: every Dispatch object may be used from any thread (dispatch(3)); its Swift protocol does not say so.
  private struct Kept: @unchecked Sendable {
    let source: any DispatchSourceProtocol
  }

  private let kept = Mutex<[Kept]>([])

  /// Calls `body` on `queue` every so many seconds, first after `delay`.
  func every(
    _ seconds: Double, after delay: Double, on queue: DispatchQueue,
    _ body: @escaping @Sendable () -> Void
  ) {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + delay, repeating: seconds)
    listen(to: timer, body)
  }

  /// Calls `body` on `queue` whenever the descriptor can be read.
  func reading(
    _ descriptor: Int32, on queue: DispatchQueue, _ body: @escaping @Sendable () -> Void
  ) {
    listen(to: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue), body)
  }

  /// Keeps signals waiting in this thread and in all that it starts; called before there is another.
  static func hold(_ signals: [Int32]) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in signals { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` when the process gets a signal that was held; returns when none can be missed any more.
  ///
  /// `dispatchMain` holds nothing: a signal that comes before Dispatch has installed its source then ends the
  /// process, or is lost where it was ignored.
  func signal(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    let installed = DispatchSemaphore(value: 0)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setRegistrationHandler { installed.signal() }
    listen(to: source, body)
    installed.wait()
  }

  /// Listens no more.
  func cancel() {
    for kept in kept.withLock({ $0 }) { kept.source.cancel() }
  }

  private func listen(
    to source: any DispatchSourceProtocol, _ body: @escaping @Sendable () -> Void
  ) {
    source.setEventHandler(handler: body)
    source.resume()
    let new = Kept(source: source)
    kept.withLock { $0.append(new) }
  }
}
