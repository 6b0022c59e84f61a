import Formats
import Foundation
import TestSupport
import Testing

@testable import Processing

@Suite struct ResumingTests {
  // 1. The bytes of every array, and what was counted, are those of an undisturbed attempt. 2. It did go on.
  @Test(arguments: ResumableJob.all, [1, 3])
  func `an attempt that was killed is gone on with, to the same bytes`(
    job: ResumableJob, threads: Int
  ) throws {
    let undisturbed = try Attempts(job).complete(1, threads: 2)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.35, threads: threads)
    try attempts.kill(2, at: 0.7, threads: threads)
    let resumed = try attempts.complete(3, threads: threads)
    check(resumed, undisturbed)  // 1
    let resumptions = try #require(resumed.manifest["resumed"] as? [[String: Int]])
    #expect(resumptions.map { $0["attempt"] } == [2, 3], "\(resumptions)")  // 2
    let blocks = resumptions.compactMap { $0["blocks"] }
    #expect(blocks.allSatisfy { $0 > 0 } && blocks == blocks.sorted(), "\(blocks)")
    #expect(try attempts.here.names(in: "results") == [".partial-1-3"], "nothing else is left")
  }

  @Test(arguments: ResumableJob.all)
  func `what a stopping daemon takes back is gone on with where it stopped`(
    job: ResumableJob
  ) throws {
    let undisturbed = try Attempts(job).complete(1, threads: 2)
    let attempts = try Attempts(job)
    try attempts.giveBack(1, at: 0.5, threads: 2)
    let resumed = try attempts.complete(2, threads: 2)
    check(resumed, undisturbed)
    let resumptions = try #require(resumed.manifest["resumed"] as? [[String: Int]])
    #expect(try #require(resumptions.first?["blocks"]) > 0, "\(resumptions)")
  }

  /// Each leaves something that must not be gone on with.
  enum Spoil: String, CaseIterable, CustomTestStringConvertible {
    case noRecord, tornRecord, flippedRecord, otherSums, recordAhead, recordOfTooMuch
    case arrayCut, headerChanged, edgeChanged, anotherJob, anotherPlan, anotherBoot
    case anotherProgram, anotherBLAS
    var testDescription: String { rawValue }
  }

  @Test(arguments: Spoil.allCases)
  func `what is not as it was kept is not gone on with, and the result is right`(
    spoil: Spoil
  ) throws {
    let job = ResumableJob(
      name: "", gradients: #"["loss-gradient", "parameter-jacobian"]"#, seed: 7,
      // So that a window of 8 MiB is wholly done.
      width: spoil == .anotherBoot ? 160 : 24)
    let undisturbed = try Attempts(job).complete(1, threads: 1)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.55, threads: 1)
    try self.spoil(attempts, spoil)
    let result = try attempts.complete(2, threads: 1)
    #expect((result.manifest["resumed"] as? [Any])?.count == 0)
    #expect(try attempts.here.names(in: "results") == [".partial-1-2"])
    if spoil != .anotherJob { check(result, undisturbed) }
  }

  /// Each leaves a state within a sequence that must not be gone on with.
  enum StateSpoil: String, CaseIterable { case gone, cut, flipped, ofAnotherSize }

  @Test(arguments: StateSpoil.allCases)
  func `a state that is not as it was kept is not gone on with, and the result is right`(
    spoil: StateSpoil
  ) throws {
    let job = ResumableJob(
      name: "", gradients: #"["parameter-jacobian"]"#, steps: 700, strategy: "forward",
      sequences: 1)
    let undisturbed = try Attempts(job).complete(1, threads: 1)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.55, threads: 1)
    let names = try attempts.here.names(in: "results/.partial-1-1")
    let state = try #require(names.first { $0.hasPrefix(".state-") }, "\(names)")
    let path = attempts.here("results/.partial-1-1/\(state)")
    let size = try Descriptor(opening: path, O_RDONLY).size()
    switch spoil {
    case .gone: unsafe unlink(path)
    case .cut: unsafe truncate(path, size - 8)
    case .flipped:
      let file = try Descriptor(opening: path, O_RDWR)
      let byte = try file.read(count: 1, at: size / 2)[0]
      try file.write([byte ^ 1], at: size / 2)
    case .ofAnotherSize:
      try change(attempts) {
        $0.replacing(/"stateBytes":[0-9]+/, with: #""stateBytes":8"#)
      }
    }
    let result = try attempts.complete(2, threads: 1)
    #expect((result.manifest["resumed"] as? [Any])?.count == 0)
    check(result, undisturbed)
  }

  // 1. A state that no record names, as a kill between both leaves it, is no obstacle. 2. One is there at a time.
  @Test func `states that no record names go`() throws {
    let job = ResumableJob(
      name: "", gradients: #"["parameter-jacobian"]"#, steps: 700, strategy: "forward",
      sequences: 1)
    let undisturbed = try Attempts(job).complete(1, threads: 1)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.3, threads: 1)
    for number in [0, 7, 9999] {
      try attempts.here.write("", to: "results/.partial-1-1/.state-\(number)")
    }
    try attempts.kill(2, at: 0.6, threads: 1)  // 1
    let names = try attempts.here.names(in: "results/.partial-1-2")
    #expect(names.filter { $0.hasPrefix(".state-") }.count == 1, "2: \(names)")
    let result = try attempts.complete(3, threads: 1)
    #expect((result.manifest["resumed"] as? [Any])?.count == 2, "1")
    check(result, undisturbed)
  }

  @Test func `after another boot, what is as it was kept is gone on with`() throws {
    let job = ResumableJob(name: "", gradients: #"["parameter-jacobian"]"#, width: 160)
    let undisturbed = try Attempts(job).complete(1, threads: 1)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.55, threads: 1)
    try change(attempts) { $0.replacing(BootID.current, with: "another boot") }
    let result = try attempts.complete(2, threads: 1)
    #expect((result.manifest["resumed"] as? [Any])?.count == 1)
    check(result, undisturbed)
  }

  @Test func `an attempt that was killed behind its manifest is gone on with`() throws {
    let job = ResumableJob(name: "", gradients: #"["loss-gradient", "parameter-jacobian"]"#)
    let undisturbed = try Attempts(job).complete(1, threads: 1)
    let attempts = try Attempts(job)
    try attempts.kill(1, at: 0.9, threads: 1)
    try attempts.here.write("{}", to: "results/.partial-1-1/manifest.json")
    let result = try attempts.complete(2, threads: 1)
    #expect((result.manifest["resumed"] as? [Any])?.count == 1)
    check(result, undisturbed)
  }

  private func check(
    _ result: (arrays: [String: Data], manifest: [String: Any]),
    _ expected: (arrays: [String: Data], manifest: [String: Any])
  ) {
    #expect(result.arrays.keys.sorted() == expected.arrays.keys.sorted())
    for (name, bytes) in expected.arrays {
      let isSame = result.arrays[name] == bytes
      #expect(isSame, "\(name)")
    }
    for key in ["numerics", "arrays"] {
      let one = result.manifest[key] as? NSObject
      #expect(one?.isEqual(expected.manifest[key]) == true, "\(key): \(String(describing: one))")
    }
    let took = result.manifest["took"] as? [String: Any]
    let other = expected.manifest["took"] as? [String: Any]
    #expect(took?["bytes_written"] as? Int == other?["bytes_written"] as? Int)
  }

  private func spoil(_ attempts: Attempts, _ spoil: Spoil) throws {
    let partial = attempts.here("results/.partial-1-1")
    let path = "\(partial)/\(ProgressRecord.name)"
    let array = partial + "/parameter-jacobian/W1.npy"
    func overwrite(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
      try Descriptor(opening: path, O_RDWR).write(bytes, at: offset)
    }
    let record = try Data(contentsOf: URL(filePath: path))
    switch spoil {
    case .noRecord: unsafe unlink(path)
    case .tornRecord: unsafe truncate(path, record.count / 2)
    case .flippedRecord: try overwrite(path, at: 20, [record[20] ^ 1])
    case .otherSums: try overwrite(path, at: record.count - 3, [record[record.count - 3] ^ 1])
    // The record tells of blocks whose numbers are not in the file.
    case .recordAhead:
      let size = try Descriptor(opening: array, O_RDONLY).size()
      try overwrite(array, at: 128, [UInt8](repeating: 0, count: size - 128))
    case .recordOfTooMuch:
      try change(attempts) {
        $0.replacing(/"blocks":[0-9]+,"contraction"/, with: #""blocks":9999,"contraction""#)
      }
    case .arrayCut: unsafe truncate(array, 1000)
    case .headerChanged: try overwrite(array, at: 30, [65])
    case .edgeChanged: try overwrite(array, at: 5000, [1, 2, 3])
    case .anotherJob:
      try attempts.here.write(
        ResumableJob(
          name: "", gradients: #"["loss-gradient", "parameter-jacobian"]"#, seed: 8
        ).document, to: "job.json")
    case .anotherPlan:
      try change(attempts) { $0.replacing(#""blockSamples":"#, with: #""blockSamples":1"#) }
    case .anotherProgram:
      try change(attempts) { $0.replacing(#""program":""#, with: #""program":"2"#) }
    case .anotherBLAS:
      try change(attempts) { text in
        text.replacing(/"blas":"([^,"]*), [^"]*"/) { match in #""blas":"\#(match.1), Zen""# }
      }
    // A window that is wholly done, and of which the edge tells nothing.
    case .anotherBoot:
      try change(attempts) { $0.replacing(BootID.current, with: "another boot") }
      try overwrite(array, at: 5000, [1, 2, 3])
    }
  }

  /// Writes the record anew, its JSON changed and its digest right.
  private func change(_ attempts: Attempts, _ edit: (String) -> String) throws {
    let path = attempts.here("results/.partial-1-1/\(ProgressRecord.name)")
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let parts = bytes.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
    let old = String(decoding: parts[0], as: UTF8.self)
    let new = edit(old)
    #expect(new != old, "the record was to be changed")
    let digest = ArrayDigest(of: Array(new.utf8)).text
    try Data(Array((new + "\n" + digest + "\n").utf8) + parts[2]).write(to: URL(filePath: path))
  }
}
