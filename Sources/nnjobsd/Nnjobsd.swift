import CommandLineOptions
import Glibc
import Processing

/// `nnjobsd`, and `nnjobsd worker` and what measures the machine, as which it starts itself.
@main
struct Nnjobsd {
  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    if words == ["worker"] { WorkerRole.serve() }
    KernelMeasuring.serve(words)
    MachineMeasuring.serve(words)
    let options: DaemonOptions
    do throws(OptionError) { options = try DaemonOptions(words) } catch {
      Log.line("nnjobsd: \(error.sentence)")
      exit(64)
    }
    let manualPage: ManualPage?
    do throws(UsageError) { manualPage = try options.manualPage } catch {
      Log.line("nnjobsd: \(error.sentence)")
      exit(64)
    }
    if let manualPage {
      print(manualPage.source, terminator: "")
    } else if options.wantsHelp {
      print(DaemonOptions.page)
    } else if options.wantsVersion {
      print("nnjobsd \(Version.current)")
    } else {
      exit(Daemon.serve(options))
    }
  }
}
