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

  /// Calls `body` when the process gets the signal, instead of what the signal does by itself.
  func signal(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    _ = Glibc.signal(number, SIG_IGN)
    listen(to: DispatchSource.makeSignalSource(signal: number, queue: .global()), body)
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
