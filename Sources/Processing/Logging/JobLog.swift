package import Formats
import Glibc
import Store

/// What happened to each job, a small file of lines for each: starts, ends of attempts, requests, its worker's last words.
///
/// It is for people and may be lost in a power cut: nothing is fsynced, and a failure to write is nobody's failure.
package struct JobLog: Sendable {
  /// The most bytes a job's file may have.
  package static let largest = 64 << 10

  /// One line.
  package struct Line: Hashable, Sendable {
    /// Unix seconds.
    package let time: Double
    /// What happened.
    package let text: String
  }

  private let folders: QueueFolders

  /// Logs for one queue.
  package init(_ folders: QueueFolders) { self.folders = folders }

  /// Adds a line about a job, unless its file is full.
  package func note(_ id: Int64, _ text: String, at time: Double = Store.now) {
    guard
      let file = try? Descriptor(
        opening: folders.log(of: id), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o644),
      let size = try? file.size(), size < JobLog.largest
    else { return }
    var line = Array((stamp(time) + " " + oneLine(text) + "\n").utf8)
    if size + line.count > JobLog.largest {
      let rest =
        stamp(time) + " the rest is left out: a job's log has \(JobLog.largest) bytes at most\n"
      // Beyond the limit, so that it is the last.
      line = Array(rest.utf8) + [UInt8](repeating: 10, count: max(0, JobLog.largest - size))
    }
    unsafe line.withUnsafeBytes { bytes in
      unsafe _ = Glibc.write(file.number, bytes.baseAddress, bytes.count)
    }
  }

  /// Everything that is known of a job, in order; empty when nothing is.
  package func lines(of id: Int64) throws(SystemError) -> [Line] {
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try Descriptor(opening: folders.log(of: id), O_RDONLY | O_NOFOLLOW)
      bytes = try file.read(count: 2 * JobLog.largest, at: 0)
    } catch {
      if error.code == ENOENT { return [] }
      throw error
    }
    return bytes.split(separator: 10).compactMap { line in
      let text = String(decoding: line, as: UTF8.self)
      guard let space = text.firstIndex(of: " "), let time = Double(text[..<space]) else {
        return nil
      }
      return Line(time: time, text: String(text[text.index(after: space)...]))
    }
  }

  /// Forgets what is known of a job.
  package func forget(_ id: Int64) throws(SystemError) {
    let path = folders.log(of: id)
    guard unsafe unlink(path) != 0, errno != ENOENT else { return }
    throw SystemError(call: "remove", object: path, code: errno)
  }

  private func stamp(_ time: Double) -> String {
    let milliseconds = Int(time * 1000)
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }

  private func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
  }
}

extension QueueFolders {
  /// The folder of what is known of each job.
  package var logs: String { state + "/logs" }

  /// The file of what is known of one job.
  package func log(of id: Int64) -> String { "\(logs)/\(id).log" }

  /// The job a file in the logs' folder is about; nil when it is none of ours.
  static func job(ofLog name: String) -> Int64? {
    name.hasSuffix(".log") ? Int64(name.dropLast(4)) : nil
  }
}

extension JobCommit.AttemptEnd {
  /// What a log says of it.
  var words: String {
    switch self {
    case .written(let result): "is computed, \(ByteCount.text(result.bytes))"
    case .failed(let error): "ended: \(error.sentence)"
    case .died(let end): "ended: its worker \(end.sentence)"
    case .returned: "was given back, since the daemon stopped"
    }
  }
}
