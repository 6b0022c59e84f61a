import Processing
import Testing

@Suite struct ConfigurationTests {
  @Test func `settings are read, comments and blanks are not`() throws {
    let text = """
      # where jobs come from
      jobs = /srv/nnjobs/jobs   # the drop box
      workers=4

      memory = 1.5 GiB
      grace = 2.5
      checkpoint = 2.5
      patience = 90
      keep = 30d
      keep_results = no
      results_group = none
      status_visible = own
      time_limit = 60.5
      longest_time = 3600
      user_running = 2
      user_queued = 1000
      user_results = 100 GiB
      user_priority = -3
      """
    var expected = Configuration()
    expected.jobs = "/srv/nnjobs/jobs"
    expected.workers = 4
    expected.memory = 3 << 29
    expected.grace = 2.5
    expected.checkpoint = 2.5
    expected.patience = 90
    expected.keep = 30 * 86_400
    expected.keepResults = false
    expected.resultsGroup = "none"
    expected.statusVisible = .own
    expected.timeLimit = 60.5
    expected.longestTime = 3600
    expected.userRunning = 2
    expected.userQueued = 1000
    expected.userResults = 100 << 30
    expected.userPriority = -3
    #expect(try Configuration(text: text, file: "c") == expected)
  }

  @Test(arguments: [
    ("workers 4", "cannot read configuration c: line 1: expected `name = value`"),
    (
      "\nworkers = many",
      "cannot read configuration c: line 2: workers is a whole number from 1 to 1024, not \"many\""
    ),
    (
      "memory = 3 apples",
      "cannot read configuration c: line 1: memory is a size as 16GiB or 500MiB, not \"3 apples\""
    ),
    (
      "patience = -1",
      "cannot read configuration c: line 1: patience is a number of seconds from 0 to 86400, not \"-1\""
    ),
    (
      "keep = long",
      "cannot read configuration c: line 1: keep is a duration as 90, 30s, 10m, 2h, 7d or 1w, not \"long\""
    ),
    (
      "keep_results = 3",
      "cannot read configuration c: line 1: keep_results is yes or no, not \"3\""
    ),
    (
      "cores = 2",
      "cannot read configuration c: line 1: no setting \"cores\"; there are jobs, results, state, "
        + "workers, memory, grace, checkpoint, patience, keep, keep_results, results_group, "
        + "status_visible, time_limit, longest_time, user_running, user_queued, "
        + "user_results, user_priority"
    ),
    (
      "time_limit = 0",
      "cannot read configuration c: line 1: time_limit is a duration as 90, 30s, 10m, 2h, "
        + "7d or 1w, more than 0, not \"0\""
    ),
    (
      "user_running = 0",
      "cannot read configuration c: line 1: user_running is a whole number from 1 to 1000000, not "
        + "\"0\""
    ),
    (
      "user_results = 0",
      "cannot read configuration c: line 1: user_results is a size as 16GiB or 500MiB, not \"0\""
    ),
    (
      "user_priority = 1001",
      "cannot read configuration c: line 1: user_priority is a whole number from -1000 to 1000, not "
        + "\"1001\""
    ),
  ])
  func `a wrong line is named`(text: String, sentence: String) {
    let error = #expect(throws: QueueError.self) { try Configuration(text: text, file: "c") }
    #expect(error?.sentence == sentence)
  }

  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1536, "1.50 KiB"), (10 << 20, "10.0 MiB"),
    (500 << 20, "500 MiB"), (3 << 40, "3.00 TiB"), ((1 << 20) - 1, "1024 KiB"),
  ])
  func `a size is shown with three figures`(bytes: Int, text: String) {
    #expect(ByteCount.text(bytes) == text)
  }

  @Test(
    arguments: [
      ("1GiB", 1 << 30), ("1.5 KiB", 1536), ("12", 12), ("12 B", 12), ("", nil), ("-1GiB", nil),
      ("nanGiB", nil), ("1e300GiB", nil), ("GiB", nil),
    ] as [(String, Int?)])
  func `a size is read or refused`(text: String, bytes: Int?) {
    #expect(ByteCount.parse(text) == bytes)
  }
}
