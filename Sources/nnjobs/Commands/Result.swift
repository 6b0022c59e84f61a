/// `nnjobs result`.
enum Result: Command {
  static let name = "result"
  static let summary = "x"
  static func run(_ call: Call) throws -> ExitCode { .done }
}
