import Formats
import FoundationEssentials
import Glibc
import Store

/// Finding what a job published just before its row could say so.
enum PublishedResult {
  /// The facts of a manifest that tell whose result it is.
  private struct Origin: Decodable {
    let id: Int64
    let sha256: String

    enum CodingKeys: String, CodingKey {
      case id
      case sha256 = "job_file_sha256"
    }
  }

  /// The folder among `names` whose manifest has this job's id and its file's digest.
  static func find(of job: Job, among names: [String], in folders: QueueFolders) -> String? {
    let candidates = names.filter { name in
      name == job.name
        || (name.hasPrefix(job.name + "-") && Int(name.dropFirst(job.name.count + 1)) != nil)
    }
    guard !candidates.isEmpty,
      let file = try? Descriptor(opening: "\(folders.claimed)/\(job.file)", O_RDONLY | O_NOFOLLOW),
      let digest = try? JobDigest.sha256(of: file)
    else { return nil }
    return candidates.first { name in
      guard
        let manifest = try? Descriptor(
          opening: "\(folders.results)/\(name)/manifest.json", O_RDONLY | O_NOFOLLOW),
        let bytes = try? manifest.read(count: min(try manifest.size(), 1 << 24), at: 0),
        let origin = try? JSONDecoder().decode(Origin.self, from: Data(bytes))
      else { return false }
      return origin.id == job.id && origin.sha256 == digest
    }
  }
}
