import Processing

/// `nnjobs hold`: keeps queued jobs from starting until they are released.
enum Hold: ControlCommand {
  static let verb = ControlRequest.Verb.hold
  static let summary = "keep queued jobs from starting until they are released"
}
