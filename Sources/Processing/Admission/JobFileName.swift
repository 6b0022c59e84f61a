/// The name of a dropped file, and what it says.
package struct JobFileName: Hashable, Sendable {
  /// The endings of job files.
  package static let endings = [".json", ".safetensors"]

  /// The whole name, as `digits.safetensors`.
  package let file: String
  /// The name without its ending, which the result folder gets: `digits`.
  package let job: String

  /// Its ending, nil when it is none of ours.
  package let ending: String?

  /// What a name in the inbox is.
  package enum Kind: Hashable, Sendable {
    /// A name that a job file may have, whatever its ending.
    case job(JobFileName)
    /// A request to the daemon, as `.cancel-17`.
    case control(ControlRequest)
    /// Nothing of ours: temporaries and other names that start with a dot, and the folder of refused files.
    case ignored
    /// No job can have this name: how to show it, and why.
    case impossible(shown: String, reason: String)
  }

  /// Reads the bytes of a name as readdir(3) gives them.
  package static func read(_ bytes: [UInt8]) -> Kind {
    guard let name = String(validating: bytes, as: UTF8.self) else {
      return .impossible(shown: shown(bytes), reason: "its name is not UTF-8; rename it")
    }
    if let request = ControlRequest(fileName: name) { return .control(request) }
    if name.isEmpty || name.hasPrefix(".") || name == "refused" { return .ignored }
    if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return .impossible(shown: shown(bytes), reason: "its name has control characters; rename it")
    }
    if bytes.count > DroppedFile.longestName {
      return .impossible(
        shown: String(name.prefix(60)) + "…",
        reason: "its name has \(bytes.count) bytes, and a job file's may have "
          + "\(DroppedFile.longestName); rename it")
    }
    return .job(JobFileName(name))
  }

  /// Takes the ending off a name.
  package init(_ file: String) {
    self.file = file
    ending = JobFileName.endings.first(where: file.hasSuffix)
    job = String(file.dropLast(ending?.count ?? 0))
  }

  /// Printable text for any bytes: what is no printable ASCII becomes `\xNN`.
  private static func shown(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return bytes.prefix(80).map { byte in
      (0x20..<0x7f).contains(byte) && byte != 0x5c
        ? String(UnicodeScalar(byte)) : "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}
