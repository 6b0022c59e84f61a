import Processing

/// `nnjobs release`: lets queued jobs start that are held, or were put off.
enum Release: ControlCommand {
  static let verb = ControlRequest.Verb.release
  static let summary = "let jobs start that are held or were put off"
}
