import Formats
import FoundationEssentials
import Glibc

/// What a published result says of itself: the facts of its `manifest.json` that tell whose it is and whether it is whole.
package struct PublishedManifest: Decodable, Hashable, Sendable {
  /// One array of the result.
  package struct Entry: Decodable, Hashable, Sendable {
    /// Its file in the folder.
    package let file: String
    /// Its shape.
    package let shape: [Int]
    /// Bytes of its numbers.
    package let bytes: Int
  }

  /// How long its computation took.
  package struct Took: Decodable, Hashable, Sendable {
    /// Seconds in all.
    package let seconds: Double
  }

  /// The job's id; 0 for a result of `nnjobs run`.
  package let id: Int64
  /// The job's name.
  package let name: String?
  /// The attempt that computed it.
  package let attempt: Int?
  /// The digest of the job file.
  package let sha256: String
  /// Every array.
  package let arrays: [Entry]?
  /// How long it took.
  package let took: Took?

  enum CodingKeys: String, CodingKey {
    case id, name, attempt, arrays, took
    case sha256 = "job_file_sha256"
  }

  /// Reads the manifest of a result folder; throws why it cannot be read, as a sentence.
  package init(folder: String) throws(PublishedManifestError) {
    let path = folder + "/manifest.json"
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      bytes = try file.read(count: min(try file.size(), 1 << 26), at: 0)
    } catch { throw PublishedManifestError(sentence: error.sentence) }
    guard let manifest = try? JSONDecoder().decode(PublishedManifest.self, fromAnything: bytes)
    else {
      throw PublishedManifestError(sentence: "cannot read \(path): it is no manifest of nnjobs")
    }
    self = manifest
  }
}

/// Why a manifest cannot be read.
package struct PublishedManifestError: Error, Hashable, Sendable {
  /// Verb, object, reason.
  package let sentence: String
}
