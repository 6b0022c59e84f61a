import Foundation
import TestSupport

/// The built programs, which stand beside the test program.
enum Binaries {
  /// Where `swift build` put them.
  static let folder: String = {
    let ownPath = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    return ownPath.map { String($0[..<($0.lastIndex(of: "/") ?? $0.endIndex)]) } ?? "."
  }()
  /// The daemon.
  static var nnjobsd: String { folder + "/nnjobsd" }
  /// The command-line program.
  static var nnjobs: String { folder + "/nnjobs" }

  /// A program of the system, where it is installed.
  static func ofSystem(_ name: String) -> String? {
    ["/usr/bin/", "/bin/"].map { $0 + name }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// What every child process gets: nothing of the developer's own settings, one kernel of OpenBLAS everywhere.
  static var environment: [String: String] {
    ["PATH": "/usr/bin:/bin", "OPENBLAS_CORETYPE": "Haswell", "NNJOBS_CONFIG": "/dev/null"]
  }
}

/// How a program that was run to its end ended, and what it wrote.
struct ProgramRun {
  /// Its exit status; 128 and the signal's number when a signal ended it.
  let status: Int32
  /// Its standard output.
  let output: String
  /// Its standard error.
  let errors: String

  /// Runs a program in `folder` until it ends; interrupts it once `interrupting` holds.
  ///
  /// Output goes to files and not to pipes: another child that inherits a pipe would keep it open.
  init(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder, input: String = "",
    environment: [String: String] = [:], interrupting: (() throws -> Bool)? = nil
  ) async throws {
    let stem = folder("run-" + UUID().uuidString)
    for ending in [".in", ".out", ".err"] {
      try Data(ending == ".in" ? Array(input.utf8) : []).write(to: URL(filePath: stem + ending))
    }
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.environment = Binaries.environment.merging(environment) { $1 }
    process.standardInput = FileHandle(forReadingAtPath: stem + ".in")
    process.standardOutput = FileHandle(forWritingAtPath: stem + ".out")
    process.standardError = FileHandle(forWritingAtPath: stem + ".err")
    try process.run()
    do {
      if let interrupting {
        try await eventually("\(program) \(arguments) can be interrupted", interrupting)
        process.interrupt()
      }
      try await eventually("\(program) \(arguments) ends") { !process.isRunning }
    } catch {
      kill(process.processIdentifier, SIGKILL)
      throw error
    }
    let isSignal = process.terminationReason == .uncaughtSignal
    status = (isSignal ? 128 : 0) + process.terminationStatus
    output = String(decoding: try Data(contentsOf: URL(filePath: stem + ".out")), as: UTF8.self)
    errors = String(decoding: try Data(contentsOf: URL(filePath: stem + ".err")), as: UTF8.self)
    for ending in [".in", ".out", ".err"] {
      try FileManager.default.removeItem(atPath: stem + ending)
    }
  }
}
