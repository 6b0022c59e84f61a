import Formats
import Jacobians
import Testing

/// Files that were cut or hit by an error on their way: an error or a valid job, nothing else.
struct CorruptionTests {
  /// Everything the parsers do with a file, down to its numbers.
  private static func readAll(_ bytes: [UInt8], _ name: String) throws(FormatError) {
    if name.hasSuffix(".npy") {
      _ = try NPYFile(examining: bytes, path: name).numbers()
    } else if name.hasSuffix(".npz") {
      let file = try NPZFile(examining: bytes, path: name)
      for array in file.names { _ = try file.array(named: array).values(Float.self) }
    } else {
      let job = try JobFile(examining: bytes, path: name)
      _ = try job.problem(Double.self)
      _ = try job.problem(Float.self)
    }
  }

  private static let files: [(name: String, bytes: [UInt8])] = [
    ("a.json", Array(Sample.json.utf8)), ("a.safetensors", Sample.safetensors),
    ("f8-big.npy", []), ("fortran.npy", []), ("version-3.npy", []), ("stored.npz", []),
  ]

  private static func bytes(_ file: (name: String, bytes: [UInt8])) throws -> [UInt8] {
    file.bytes.isEmpty ? try Fixture.bytes(file.name) : file.bytes
  }

  @Test(arguments: files.map(\.name))
  func `every truncation is refused as incomplete`(name: String) throws {
    let file = try #require(CorruptionTests.files.first { $0.name == name })
    let whole = try CorruptionTests.bytes(file)
    #expect(failure { () throws(FormatError) in try CorruptionTests.readAll(whole, name) } == nil)
    for count in whole.indices {
      let error = failure { () throws(FormatError) in
        try CorruptionTests.readAll(Array(whole[..<count]), name)
      }
      #expect(error != nil, "\(count)")
      // A zip file's directory is at its end; without it nobody knows whether more belongs to it.
      if !name.hasSuffix(".npz") { #expect(error?.isIncomplete == true, "\(count)") }
    }
  }

  @Test(arguments: files.map(\.name))
  func `every flipped bit gives an error or a valid file`(name: String) throws {
    let file = try #require(CorruptionTests.files.first { $0.name == name })
    var bytes = try CorruptionTests.bytes(file)
    var refused = 0
    for i in bytes.indices {
      for bit in 0..<8 {
        bytes[i] ^= 1 << bit
        let error = failure { () throws(FormatError) in try CorruptionTests.readAll(bytes, name) }
        if let error {
          refused += 1
          #expect(!error.reason.isEmpty)
        }
        bytes[i] ^= 1 << bit
      }
    }
    #expect(refused > 0 && refused < bytes.count * 8)
  }

  @Test(arguments: files.map(\.name))
  func `bytes replaced, left out and doubled give an error or a valid file`(name: String) throws {
    let file = try #require(CorruptionTests.files.first { $0.name == name })
    let whole = try CorruptionTests.bytes(file)
    var generator = SplitMix(seed: 2)
    for _ in 0..<1500 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let start = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, start + Int.random(in: 0...16, using: &generator))
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 2: bytes[start] = UInt8.random(in: 0...255, using: &generator)
        default: bytes[start] = [0, 0xFF, 0x7F, 0x80].randomElement(using: &generator) ?? 0
        }
      }
      _ = failure { () throws(FormatError) in try CorruptionTests.readAll(bytes, name) }
    }
  }
}
