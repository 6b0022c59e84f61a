import Processing

/// `nnjobs cancel`: ends jobs that wait or run.
enum Cancel: ControlCommand {
  static let verb = ControlRequest.Verb.cancel
  static let summary = "end jobs that wait or run"
}
