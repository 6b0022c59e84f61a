import CommandLineOptions
import Processing

/// `nnjobs version`: what this program calls itself.
enum VersionCommand: Command {
  static let name = "version"
  static let summary = "the version of this program"
  static let options = [Option.json]

  static func run(_ call: Call) throws -> ExitCode {
    try call.arguments.requireNoOperands(of: name)
    try Output.standardOutput(
      call.has(.json)
        ? try JSON.document(["version": .text(Version.current)]) : "nnjobs \(Version.current)\n")
    return .done
  }
}
