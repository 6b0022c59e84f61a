import Dispatch
import Formats
import Glibc
import Processing

/// The queue's folders: whether they are there, on what, with how much room and how fast an fsync.
enum FolderExamination {
  /// Below this many bytes of room there is a warning.
  private static let littleRoom = 1 << 30
  /// An fsync that takes longer, in seconds, is worth a warning: every job waits for several.
  private static let slowSync = 0.05

  /// Looks at one folder.
  static func diagnoses(_ path: String, role: String, source: String) -> [Diagnosis] {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      let text =
        "\(path), \(source): \(SystemError(call: "find", object: path, code: errno).reason)"
      return [.warning(role, text, cure: "start nnjobsd, which makes it, or name the right folder")]
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      return [.problem(role, "\(path), \(source), is no folder", cure: "move it away")]
    }
    let mount = MountTable.ofThisProcess.mount(of: path)
    let free = (try? MachineLimits.freeDisk(at: path)) ?? 0
    let text =
      "\(path), \(source), on \(mount?.type ?? "an unknown file system")"
      + (mount.map { " at \($0.point)" } ?? "") + ", \(ByteCount.text(free)) free"
    if let type = mount?.type, type == "tmpfs" || type == "ramfs" {
      return [
        .warning(
          role, text,
          cure: "nothing there survives a restart of the machine: use a disk for what must")
      ]
    }
    if let type = mount?.type,
      ["nfs", "nfs4", "cifs", "smb3", "9p"].contains(type) || type.hasPrefix("fuse")
    {
      return [
        .warning(
          role, text, cure: "use a local file system: locks and fsync mean less on this one")
      ]
    }
    if free < littleRoom {
      return [.warning(role, text, cure: "make room, or remove results: nnjobs clean")]
    }
    return [.ok(role, text)]
  }

  /// Looks at what the folders have to do with each other, and at the disk beneath results.
  static func relations(_ folders: QueueFolders) -> [Diagnosis] {
    var diagnoses: [Diagnosis] = []
    let mounts = MountTable.ofThisProcess
    if let jobs = mounts.mount(of: folders.jobs), let state = mounts.mount(of: folders.state),
      unsafe access(folders.state, F_OK) == 0, unsafe access(folders.jobs, F_OK) == 0
    {
      diagnoses.append(
        jobs.id == state.id
          ? .ok("claiming", "\(folders.jobs) and \(folders.state) are on one mount")
          : .problem(
            "claiming",
            "\(folders.jobs) is on \(jobs.point), \(folders.state) on \(state.point): a job is claimed by "
              + "a rename, which does not cross mounts", cure: "put both on one mount"))
    }
    if let seconds = syncSeconds(in: folders.results) {
      let text = "\(milliseconds(seconds)) to fsync 4 KiB in \(folders.results)"
      diagnoses.append(
        seconds > slowSync
          ? .warning(
            "fsync", text,
            cure: "every result waits for several: use a faster disk, or one nobody else uses")
          : .ok("fsync", text))
    }
    return diagnoses
  }

  private static func milliseconds(_ seconds: Double) -> String {
    "\(Wording.decimals(seconds * 1e3, 2)) ms"
  }

  /// The median of seven, each of newly written 4 KiB; nil where the caller may not write.
  private static func syncSeconds(in folder: String) -> Double? {
    let path = "\(folder)/.partial-run-\(getpid())"
    defer { unsafe _ = unlink(path) }
    guard let file = try? Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL) else { return nil }
    let bytes = [UInt8](repeating: 0, count: 4096)
    var seconds: [Double] = []
    for turn in 0..<7 {
      let start = DispatchTime.now().uptimeNanoseconds
      do {
        try file.write(bytes, at: turn * 4096)
        try file.synchronize()
      } catch { return nil }
      seconds.append(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
    return seconds.sorted()[3]
  }
}
