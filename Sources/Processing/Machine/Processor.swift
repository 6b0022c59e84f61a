/// The processor, as /proc/cpuinfo describes its first core.
package struct Processor: Hashable, Sendable {
  /// What its maker calls it, with the numbers that tell generations of one name apart.
  package let model: String
  /// What it and the kernel offer, as `avx2`.
  package let flags: Set<String>

  /// This machine's.
  package static func ofThisMachine() -> Processor {
    Processor(cpuinfo: KernelFile.text(of: "/proc/cpuinfo"))
  }

  /// Reads the text of /proc/cpuinfo; a line that is missing leaves out what it would tell.
  init(cpuinfo: String) {
    var values: [Substring: Substring] = [:]
    for line in cpuinfo.split(separator: "\n", omittingEmptySubsequences: false) {
      // An empty line ends the first core.
      if line.isEmpty, !values.isEmpty { break }
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].prefix { $0 != "\t" }
      values[name] = line[colon...].dropFirst().drop { $0 == " " }
    }
    let numbers = ["cpu family", "model", "stepping"].compactMap { values[Substring($0)] }
    let name = values["model name"] ?? values["CPU part"] ?? "unknown processor"
    model = ([name] + (numbers.isEmpty ? [] : [numbers.joined(separator: "/")[...]]))
      .joined(separator: " ")
    flags = Set(
      (values["flags"] ?? values["Features"] ?? "").split(separator: " ").map(String.init))
  }
}
