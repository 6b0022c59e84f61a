package import Formats
import FoundationEssentials
import Glibc
import Jacobians
import Store

/// What was measured of this machine once, and what was chosen by it: a small JSON file.
///
/// Measured again when the processor, its number of cores or the library's file is another one, or the file is damaged.
package struct MachineProfile: Codable, Hashable, Sendable {
  /// Which file of OpenBLAS was measured.
  package struct Library: Codable, Hashable, Sendable {
    /// Where the loader found it; a link, on Debian.
    package let path: String
    /// Its version, as `OpenBLAS 0.3.21`.
    package let version: String
    /// The file's size in bytes.
    package let bytes: Int
    /// When the file was made, in Unix seconds.
    package let modified: Int
  }

  /// Of this format; a profile of another is measured again.
  private let version: Int
  /// When it was measured, in Unix seconds.
  package let measured: Double
  /// The processor's model.
  package let processor: String
  /// Cores that could be used.
  package let cores: Int
  /// The library.
  package let library: Library
  /// The kernel that is used; nil where none was right or the library chooses.
  package let kernel: String?
  /// Every kernel that was tried.
  package let kernels: [KernelMeasurement]
  /// How fast the machine is with the kernel chosen.
  package let rates: MachineRates?

  private static let current = 1

  /// Records measurements made now.
  init(
    processor: String, cores: Int, library: Library, kernel: String?, kernels: [KernelMeasurement],
    rates: MachineRates?
  ) {
    version = MachineProfile.current
    measured = Store.now
    self.processor = processor
    self.cores = cores
    self.library = library
    self.kernel = kernel
    self.kernels = kernels
    self.rates = rates
  }

  /// Reads a profile; nil when there is none, it cannot be understood, or it is of another machine or library.
  package init?(
    at path: String, processor: Processor = .ofThisMachine(),
    cores: Int = MachineLimits.ofThisMachine().cores
  ) {
    guard let file = try? Descriptor(opening: path, O_RDONLY),
      let bytes = try? file.read(count: 1 << 20, at: 0),
      let profile = try? JSONDecoder().decode(MachineProfile.self, fromAnything: bytes),
      profile.isCurrent(processor: processor, cores: cores)
    else { return nil }
    self = profile
  }

  /// The kernel and what it reached, as `OpenBLAS 0.3.21 with SkylakeX kernels`.
  package var sentence: String {
    library.version
      + (kernel.map { " with \($0) kernels" } ?? " with the kernels it chooses itself")
  }

  private func isCurrent(processor: Processor, cores: Int) -> Bool {
    let candidates = KernelCandidate.runnable(on: processor)
    return version == MachineProfile.current && self.processor == processor.model
      && self.cores == cores && library == Library(at: library.path, version: library.version)
      // Never a kernel that this processor cannot run, whatever the file says.
      && (kernel.map { name in candidates.contains { $0.name == name } } ?? true)
  }

  /// Writes it to a new file and renames that: readers see the old one or the new one.
  package func write(to path: String) throws(SystemError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      throw SystemError(call: "encode", object: path, code: EINVAL)
    }
    let new = "\(path).new-\(getpid())"
    FolderTree.remove(new)
    do throws(SystemError) {
      try FolderTree.write(Array(data), to: new)
      try SystemCall.retrying("rename", new) { unsafe rename(new, path) }
    } catch {
      FolderTree.remove(new)
      throw error
    }
  }
}

extension MachineProfile.Library {
  /// The file at `path` as it is now; nil when there is none.
  init?(at path: String, version: String) {
    var status = stat()
    // Through links: another library behind the same name is another library.
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.path = path
    self.version = version
    bytes = Int(status.st_size)
    modified = status.st_mtim.tv_sec
  }
}
