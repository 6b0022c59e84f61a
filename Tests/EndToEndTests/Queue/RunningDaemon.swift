import Foundation
import TestSupport

/// A real `nnjobsd` that serves a queue; ends, at the latest, with this object.
final class RunningDaemon {
  private let queue: TestQueue
  private let process = Process()
  private let notification: NotifySocket

  /// Starts a daemon in the queue's folder and returns when it says READY.
  ///
  /// `through` is a program with its arguments that ends by becoming the daemon, as setpriv(1) does.
  init(
    on queue: TestQueue, _ options: [String] = [], environment: [String: String] = [:],
    through starter: [String] = []
  ) async throws {
    self.queue = queue
    notification = try NotifySocket()
    let log = queue.folder("daemon.log")
    if !queue.isThere("daemon.log") { try Data().write(to: URL(filePath: log)) }
    let output = FileHandle(forWritingAtPath: log)
    try output?.seekToEnd()
    let words = starter + [Binaries.nnjobsd] + options
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    process.currentDirectoryURL = URL(filePath: queue.folder.path)
    process.environment = Binaries.environment
      .merging(["NOTIFY_SOCKET": notification.address]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output
    try process.run()
    try await eventually("nnjobsd is ready; its log:\n\(queue.log)") {
      guard process.isRunning else {
        throw DeadlinePassed("nnjobsd ended before it was ready; its log:\n\(queue.log)")
      }
      return notification.messages.contains("READY=1")
    }
  }

  deinit { signal(SIGKILL) }

  /// Its process.
  var pid: pid_t { process.processIdentifier }

  /// Whether it has not ended.
  var isRunning: Bool { process.isRunning }

  /// What it told the service manager.
  var messages: [String] { notification.messages }

  /// Its worker processes.
  var workers: [pid_t] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    return tasks.flatMap { task -> [pid_t] in
      let list = FileManager.default.contents(atPath: "/proc/\(pid)/task/\(task)/children")
      return String(decoding: list ?? Data(), as: UTF8.self).split(separator: " ")
        .compactMap { pid_t($0) }
    }
  }

  /// Sends it a signal.
  func signal(_ number: Int32) {
    if process.isRunning { kill(pid, number) }
  }

  /// Ends it with a signal, and returns its exit status, or minus the signal that ended it.
  @discardableResult
  func end(_ number: Int32) async throws -> Int32 {
    signal(number)
    try await eventually("nnjobsd ends after signal \(number); its log:\n\(queue.log)") {
      !process.isRunning
    }
    let isSignal = process.terminationReason == .uncaughtSignal
    return isSignal ? -process.terminationStatus : process.terminationStatus
  }
}
