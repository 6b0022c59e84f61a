import Formats
import Glibc
import Store

/// Finding what a job published just before its row could say so.
enum PublishedResult {
  /// The folder among `names` whose manifest has this job's id and its file's digest.
  static func find(of job: Job, among names: [String], in folders: QueueFolders) -> String? {
    let candidates = names.filter { isName($0, of: job.name) }
    guard !candidates.isEmpty,
      let file = try? Descriptor(opening: "\(folders.claimed)/\(job.file)", O_RDONLY | O_NOFOLLOW),
      let digest = try? JobDigest.sha256(of: file)
    else { return nil }
    return candidates.first { name in
      guard let manifest = try? PublishedManifest(folder: "\(folders.results)/\(name)") else {
        return false
      }
      return manifest.id == job.id && manifest.sha256 == digest
    }
  }

  /// Whether a result of a job of that name may be published as `folder`: `NAME`, `NAME-2`, …
  private static func isName(_ folder: String, of name: String) -> Bool {
    folder == name
      || (folder.hasPrefix(name + "-") && Int(folder.dropFirst(name.count + 1)) != nil)
  }
}
