import Glibc
import Processing

/// `nnjobsd`, and `nnjobsd worker`, as which it starts itself.
@main
struct Nnjobsd {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "worker": WorkerRole.serve()
    case "--help": print(DaemonOptions.help)
    case "--version": print("nnjobsd \(Version.current)")
    default:
      do throws(UsageError) {
        exit(Daemon.serve(try DaemonOptions(arguments)))
      } catch {
        Log.line("nnjobsd: \(error.sentence)")
        exit(64)
      }
    }
  }
}
