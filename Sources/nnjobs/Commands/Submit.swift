/// `nnjobs submit`.
enum Submit: Command {
  static let name = "submit"
  static let summary = "x"
  static func run(_ call: Call) throws -> ExitCode { .done }
}
