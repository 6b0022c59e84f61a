import CommandLineOptions
import FoundationEssentials
import Glibc
import Processing

/// `nnjobs`: finds the command, runs it, and ends with its exit code.
@main enum NNJobs {
  static func main() {
    // As `nnjobs doctor --calibrate` and a long `nnjobs run` start this program once more.
    KernelMeasuring.serve(Array(CommandLine.arguments.dropFirst()))
    MachineMeasuring.serve(Array(CommandLine.arguments.dropFirst()))
    let code: ExitCode
    do {
      code = try run(
        Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment)
    } catch {
      let complaint = Complaint(error)
      Report.complain(complaint)
      code = complaint.exitCode
    }
    exit(code.rawValue)
  }

  /// What the process does with the words that follow its name.
  static func run(_ words: [String], environment: [String: String]) throws -> ExitCode {
    let globals = try ArgumentReader.read(
      words, options: Option.beforeTheCommand, command: nil, help: "nnjobs help",
      stopsAtOperand: true)
    if globals.has(.version) {
      return try VersionCommand.run(
        Call(arguments: globals, globals: globals, environment: environment))
    }
    guard let name = globals.operands.first else {
      // `nnjobs` alone shows the status.
      let command: any Command.Type = globals.has(.help) ? Help.self : Status.self
      return try command.run(
        Call(arguments: Arguments(), globals: globals, environment: environment))
    }
    let command = try Commands.named(name)
    let arguments = try ArgumentReader.read(
      Array(globals.operands.dropFirst()), options: command.allOptions, command: name,
      help: "nnjobs help \(name)", stopsAtOperand: false)
    if arguments.has(.help) || globals.has(.help) {
      try Output.standardOutput(Help.page(of: command))
      return .done
    }
    return try command.run(
      Call(arguments: arguments, globals: globals, environment: environment))
  }
}
