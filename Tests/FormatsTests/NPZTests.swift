import Formats
import Jacobians
import Testing

struct NPZTests {
  @Test(arguments: ["stored.npz", "deflated.npz"])
  func `arrays of an archive are read from a file and from memory`(name: String) throws {
    for file in [
      try NPZFile(examining: Fixture.path(name)),
      try NPZFile(examining: Fixture.bytes(name), path: name),
    ] {
      #expect(file.names.filter { $0 != "long" } == ["fortran", "half", "w"])
      let w = try file.array(named: "w")
      #expect(w.shape == [4, 3])
      #expect(try numbers(w.values(Double.self)) == (0..<12).map(Double.init))
      #expect(try numbers(file.array(named: "half").values(Float.self)) == [0, 1, 2, 3])
      #expect(try numbers(file.array(named: "fortran").values(Double.self)) == [0, 1, 2, 3, 4, 5])
    }
  }

  @Test func `a long array is inflated in pieces`() throws {
    let file = try NPZFile(examining: Fixture.path("deflated.npz"))
    #expect(
      try numbers(file.array(named: "long").values(Double.self))
        == [Double](repeating: 0, count: 100_000))
  }

  @Test func `a missing array and an unknown compression are refused`() throws {
    let file = try NPZFile(examining: Fixture.bytes("stored.npz"), path: "a.npz")
    let missing = failure { () throws(FormatError) in _ = try file.array(named: "W") }
    #expect(
      missing?.sentence
        == #"cannot read a.npz: there is no array "W"; did you mean "w"? allowed: fortran, half, w"#
    )
    let bzip2 = try NPZFile(examining: Fixture.bytes("bzip2.npz"), path: "a.npz")
    let unknown = failure { () throws(FormatError) in _ = try bzip2.array(named: "w") }
    #expect(
      unknown?.sentence
        == #"cannot read a.npz: "w.npy": it is encrypted, its claimed size is impossible, or its compression is not "#
        + "known; numpy.savez and numpy.savez_compressed write what can be read")
    let none = failure { () throws(FormatError) in
      _ = try NPZFile(examining: Array("hello".utf8), path: "a.npz")
    }
    #expect(
      none?.sentence == "cannot read a.npz: Not a zip archive; numpy.savez writes an .npz file")
  }

  @Test func `numbers that do not match their checksum are refused`() throws {
    var bytes = try Fixture.bytes("stored.npz")
    let three = Sample.bytes(3.0.bitPattern) + Sample.bytes(4.0.bitPattern)
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: three) })
    bytes[place] ^= 1
    let file = try NPZFile(examining: bytes, path: "a.npz")
    let error = failure { () throws(FormatError) in
      _ = try file.array(named: "w").values(Double.self)
    }
    #expect(error?.sentence == #"cannot read a.npz: "w.npy": CRC error"#)
  }

  @Test func `a claimed size that deflate cannot reach is refused before memory is asked for`()
    throws
  {
    // The directory's entry of "long" claims 2³¹ bytes in place of 800,128.
    var bytes = try Fixture.bytes("deflated.npz")
    let size = Sample.bytes(UInt32(800_128))
    let places = bytes.indices.filter { bytes[$0...].starts(with: size) }
    #expect(places.count == 2)
    for place in places {
      bytes.replaceSubrange(place..<(place + 4), with: Sample.bytes(UInt32(1 << 31)))
    }
    func reason() throws -> String? {
      let file = try NPZFile(examining: bytes, path: "a.npz")
      return failure { () throws(FormatError) in _ = try file.array(named: "long") }?.reason
    }
    #expect(try reason()?.contains("its claimed size is impossible") == true)
    // Nor does a lie about the deflated size, which stands before the other, help it.
    for place in places {
      bytes.replaceSubrange((place - 4)..<place, with: Sample.bytes(UInt32(1 << 31)))
    }
    #expect(try reason()?.contains("its claimed size is impossible") == true)
  }

  @Test func `a claimed size that is not that of the array is refused`() throws {
    for (claim, words) in [
      (800_120 as UInt32, "its numbers do: shape (100, 1000) takes 800000 bytes, there are 799992"),
      (800_129, "the numbers of shape (100, 1000) end here, 1 byte before the file does"),
    ] {
      var bytes = try Fixture.bytes("deflated.npz")
      let size = Sample.bytes(800_128 as UInt32)
      for place in bytes.indices where bytes[place...].starts(with: size) {
        bytes.replaceSubrange(place..<(place + 4), with: Sample.bytes(claim))
      }
      let file = try NPZFile(examining: bytes, path: "a.npz")
      let error = failure { () throws(FormatError) in _ = try file.array(named: "long") }
      #expect(error?.reason.hasSuffix(words) == true, "\(error?.sentence ?? "")")
      #expect(error?.isIncomplete == false)
    }
  }
}
