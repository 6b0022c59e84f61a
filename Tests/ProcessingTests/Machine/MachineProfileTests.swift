import Foundation
import Jacobians
import TestSupport
import Testing

@testable import Processing

@Suite struct MachineProfileTests {
  static let processor = Processor(
    cpuinfo: "model name\t: X\nflags\t: \(KernelCandidateTests.haswell)\n")

  static func measurement(_ kernel: String, _ rate: Double, failure: String? = nil)
    throws -> KernelMeasurement
  {
    let text = #"{"product": "p", "dtype": "float64", "gigaflops": \#(rate)}"#
    let rates = try JSONDecoder().decode(ProductRate.self, from: Data(text.utf8))
    return KernelMeasurement(
      kernel: kernel, checks: 9, failure: failure, rates: failure == nil ? [rates] : [])
  }

  static func profile(kernel: String?, library: String) throws -> MachineProfile {
    MachineProfile(
      processor: processor.model, cores: 4,
      library: try #require(.init(at: library, version: "OpenBLAS 1")), kernel: kernel,
      kernels: [try measurement("Haswell", 50), try measurement("Zen", 1, failure: "wrong")],
      rates: nil)
  }

  @Test func `a profile is read as it was written`() throws {
    let folder = try TemporaryFolder()
    try folder.write("library", to: "libopenblas.so.0")
    let profile = try MachineProfileTests.profile(
      kernel: "Zen", library: folder("libopenblas.so.0"))
    let path = folder("machine.json")
    for _ in 0..<2 { try profile.write(to: path) }
    #expect(
      MachineProfile(at: path, processor: MachineProfileTests.processor, cores: 4) == profile)
    #expect(try folder.names(in: ".") == ["libopenblas.so.0", "machine.json"])
  }

  @Test func `a profile of another machine, library or format is none`() throws {
    let folder = try TemporaryFolder()
    try folder.write("library", to: "libopenblas.so.0")
    let path = folder("machine.json")
    func read(_ processor: Processor = MachineProfileTests.processor, cores: Int = 4)
      -> MachineProfile?
    { MachineProfile(at: path, processor: processor, cores: cores) }
    #expect(read() == nil)
    try MachineProfileTests.profile(kernel: "Haswell", library: folder("libopenblas.so.0"))
      .write(to: path)
    #expect(read() != nil)
    // 1. Another processor, another number of cores.
    #expect(read(Processor(cpuinfo: "model name\t: Y\nflags\t: avx2\n")) == nil, "1")
    #expect(read(cores: 2) == nil, "1")
    // 2. Damage of any kind, at any place.
    let text = try folder.text(of: "machine.json")
    for length in stride(from: 0, to: text.utf8.count - 1, by: 7) {
      try folder.write(String(text.prefix(length)), to: "machine.json")
      #expect(read() == nil, "2")
    }
    try folder.write(text.replacing("\"version\" : 1", with: "\"version\" : 2"), to: "machine.json")
    #expect(read() == nil, "2")
    // 3. A kernel that would end in SIGILL here, whoever wrote it.
    for kernel in ["SkylakeX", "NoSuch", ""] {
      try folder.write(
        text.replacing(
          "\"kernel\" : \"Haswell\",\n  \"kernels\"",
          with: "\"kernel\" : \"\(kernel)\",\n  \"kernels\""),
        to: "machine.json")
      #expect(read() == nil, "3")
    }
    // 4. Another library under the same name.
    try folder.write(text, to: "machine.json")
    #expect(read() != nil, "4")
    try folder.write("another library", to: "libopenblas.so.0")
    #expect(read() == nil, "4")
  }

  struct Choice: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let kernels: [(String, Double, String?)]
    let best: String?
  }
  static let choices = [
    Choice(
      testDescription: "the usual unless another is a tenth faster",
      kernels: [("Haswell", 50, nil), ("SkylakeX", 54.9, nil)], best: "Haswell"),
    Choice(
      testDescription: "another that is a tenth faster",
      kernels: [("Haswell", 50, nil), ("Zen", 56, nil), ("SkylakeX", 90, nil)], best: "SkylakeX"),
    Choice(
      testDescription: "never one that is wrong",
      kernels: [("Haswell", 50, nil), ("Zen", 52, nil), ("SkylakeX", 90, "wrong")], best: "Haswell"),
    Choice(
      testDescription: "the fastest where the usual is wrong",
      kernels: [("Haswell", 50, "wrong"), ("Zen", 40, nil), ("SkylakeX", 41, nil)],
      best: "SkylakeX"),
    Choice(
      testDescription: "none where all are wrong", kernels: [("Haswell", 50, "wrong")], best: nil),
  ]

  @Test(arguments: choices) func `the kernel taken is the fastest that is right`(
    _ choice: Choice
  ) throws {
    let measurements = try choice.kernels.map {
      try MachineProfileTests.measurement($0.0, $0.1, failure: $0.2)
    }
    #expect(KernelMeasurement.best(of: measurements)?.kernel == choice.best)
  }

  @Test func `the environment wins over the profile`() throws {
    let folder = try TemporaryFolder()
    try folder.write("library", to: "l")
    let profile = try MachineProfileTests.profile(kernel: "Zen", library: folder("l"))
    let named = KernelChoice(environment: "Nehalem", profile: profile)
    #expect(named.kernel == "Nehalem" && named.chooser == .environment)
    for environment in [nil, ""] {
      let measured = KernelChoice(environment: environment, profile: profile)
      #expect(measured.kernel == "Zen" && measured.chooser == .profile)
      let none = KernelChoice(environment: environment, profile: nil)
      #expect(none.kernel == nil && none.chooser == .default)
    }
  }

  @Test func `a profile is looked for where it is named, then in the queue, then in the cache`() {
    func paths(_ environment: [String: String], _ state: String?) -> [String] {
      ProfilePlace(environment: environment, state: state).paths
    }
    #expect(paths(["HOME": "/h"], "s") == ["s/machine.json", "/h/.cache/nnjobs/machine.json"])
    #expect(paths(["HOME": "/h", "XDG_CACHE_HOME": "/c"], nil) == ["/c/nnjobs/machine.json"])
    #expect(paths(["HOME": "/h", "XDG_CACHE_HOME": "c"], nil) == ["/h/.cache/nnjobs/machine.json"])
    #expect(paths(["HOME": "/h", "NNJOBS_PROFILE": "/p"], "s") == ["/p"])
    #expect(paths([:], nil) == [])
  }
}
