import Formats
import FoundationEssentials
import Processing

/// Every parser that reads what somebody else wrote, with one entry each for the fuzzer and for the kept cases.
package enum FuzzedParser: String, CaseIterable, Codable, Sendable {
  /// A `.json` job file, down to its numbers, and its packing.
  case jobDocument = "job-document"
  /// A `.safetensors` job file, and the same bytes as plain arrays.
  case safetensors
  /// A `.npy` file with its numbers.
  case npy
  /// A `.npz` file with its members.
  case npz
  /// A name in the inbox or among the claimed files: job files and control files.
  case fileName = "file-name"
  /// `nnjobs.conf`.
  case configuration
  /// A message between the daemon and a worker, or what a machine profile and a manifest are read by.
  case workerMessage = "worker-message"

  /// How many numbers of one compressed member are read: a member may be far larger than its file, and says so.
  private static let largestMember = 1 << 14

  /// Reads `bytes` as this parser's input; an error it throws is an answer like any other.
  package func feed(_ bytes: [UInt8]) {
    switch self {
    case .jobDocument: Self.readJob(bytes, "a.json")
    case .safetensors:
      Self.readJob(bytes, "a.safetensors")
      Self.readTensors(bytes)
    case .npy: _ = try? NPYFile(examining: bytes, path: "a.npy").numbers()
    case .npz: Self.readMembers(bytes)
    case .fileName: Self.readName(bytes)
    case .configuration:
      _ = try? Configuration(text: String(decoding: bytes, as: UTF8.self), file: "nnjobs.conf")
    case .workerMessage:
      _ = try? JSONDecoder().decode(WorkerRequest.self, fromAnything: bytes)
      _ = try? JSONDecoder().decode(WorkerReply.self, fromAnything: bytes)
    }
  }

  private static func readJob(_ bytes: [UInt8], _ name: String) {
    guard let job = try? JobFile(examining: bytes, path: name) else { return }
    // A recurrent problem repeats its initial state for each sequence; that memory is planned, not parsed.
    if job.document.recurrent == nil {
      _ = try? job.problem(Double.self)
      _ = try? job.problem(Float.self)
    }
    _ = try? JobPacking(job)
  }

  private static func readTensors(_ bytes: [UInt8]) {
    guard let file = try? SafetensorsFile(examining: bytes, path: "a.safetensors") else { return }
    for name in file.header.tensors.keys.sorted() {
      _ = try? file.array(named: name).values(Double.self)
    }
  }

  private static func readMembers(_ bytes: [UInt8]) {
    guard let file = try? NPZFile(examining: bytes, path: "a.npz") else { return }
    for name in file.names {
      guard let array = try? file.array(named: name), array.count <= largestMember else { continue }
      _ = try? array.values(Double.self)
    }
  }

  private static func readName(_ bytes: [UInt8]) {
    if case .control(let request) = JobFileName.read(bytes) {
      precondition(
        ControlRequest(fileName: request.fileName) == request, "a request reads as it was written")
    }
    let name = String(decoding: bytes, as: UTF8.self)
    if let claim = ClaimedFile(fileName: name) {
      precondition(ClaimedFile(fileName: claim.fileName) == claim, "a claim reads as it was named")
    }
    _ = ByteCount.parse(name)
  }
}
