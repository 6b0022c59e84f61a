import Processing
import Testing

@Suite struct JobFileNameTests {
  @Test(
    arguments: [
      ("a.json", "a", ".json"), ("a.b.safetensors", "a.b", ".safetensors"),
      ("notes.txt", "notes.txt", nil),
      ("ü.json", "ü", ".json"), ("a b.json", "a b", ".json"), ("x.JSON", "x.JSON", nil),
    ] as [(String, String, String?)])
  func `a name tells its job and its ending`(file: String, job: String, ending: String?) {
    guard case .job(let name) = JobFileName.read(Array(file.utf8)) else {
      Issue.record("\(file) is no job's name")
      return
    }
    #expect(name.file == file)
    #expect(name.job == job)
    #expect(name.ending == ending)
  }

  @Test(arguments: [
    ".tmp-1", ".hidden.json", ".gitignore", "refused", ".cancel-", ".cancel-x", ".retry--1",
  ])
  func `names that are not the daemon's business are left alone`(file: String) {
    #expect(JobFileName.read(Array(file.utf8)) == .ignored)
  }

  @Test func `a control file is read`() {
    #expect(JobFileName.read(Array(".cancel-17".utf8)) == .control(ControlRequest(.cancel, 17)))
    #expect(JobFileName.read(Array(".retry-1".utf8)) == .control(ControlRequest(.retry, 1)))
    #expect(ControlRequest(.retry, 1).fileName == ".retry-1")
    for verb in ControlRequest.Verb.allCases {
      let request = ControlRequest(verb, 3)
      #expect(JobFileName.read(Array(request.fileName.utf8)) == .control(request))
    }
  }

  @Test(
    arguments: [
      ([0x61, 0xFF, 0x2E, 0x6A], "a\\xff.j", "its name is not UTF-8; rename it"),
      ([0x61, 0x0A, 0x62], "a\\x0ab", "its name has control characters; rename it"),
    ] as [([UInt8], String, String)])
  func `an impossible name can be shown`(bytes: [UInt8], shown: String, reason: String) {
    #expect(JobFileName.read(bytes) == .impossible(shown: shown, reason: reason))
  }

  @Test func `a name too long for what must fit behind it is impossible, one byte less is not`() {
    let longest = String(repeating: "x", count: DroppedFile.longestName - 5) + ".json"
    guard case .job = JobFileName.read(Array(longest.utf8)) else {
      Issue.record("the longest name is refused")
      return
    }
    guard case .impossible(_, let reason) = JobFileName.read(Array(("y" + longest).utf8)) else {
      Issue.record("a name too long is taken")
      return
    }
    #expect(reason == "its name has 201 bytes, and a job file's may have 200; rename it")
  }

  @Test func `a claim is read back from its name, and nothing else is one`() {
    let claim = ClaimedFile(id: 17, name: JobFileName("a-b.json"))
    #expect(claim.fileName == "17-a-b.json")
    #expect(ClaimedFile(fileName: "17-a-b.json") == claim)
    for name in ["a-b.json", "17", "-1-a.json", "0-a.json", "17-", "17-.cancel-3"] {
      #expect(ClaimedFile(fileName: name) == nil, "\(name)")
    }
  }
}
