import Formats
import Store

extension QueueCheck {
  /// What a result lacks cannot be computed again from here: the job file went when the job succeeded.
  private func again(_ job: Job) -> Finding.Cure {
    .byHand("submit \(job.name) again, then nnjobs remove \(job.id)")
  }

  /// Whether a succeeded job's result is there and whole, as its manifest says.
  func result(of job: Job, _ published: Set<String>) -> [Finding] {
    let name = job.result ?? job.name
    let folder = "\(folders.results)/\(name)"
    let subject = "job \(job.id) (\(job.name)) has succeeded, but"
    guard published.contains(name) else {
      return [
        Finding(.resultMissing, folder, "\(subject) its result \(folder) is gone", again(job))
      ]
    }
    let manifest: PublishedManifest
    do throws(PublishedManifestError) {
      manifest = try PublishedManifest(folder: folder)
    } catch {
      return [Finding(.manifestWrong, folder, "\(subject) \(error.sentence)", again(job))]
    }
    guard manifest.id == job.id else {
      return [
        Finding(
          .manifestWrong, folder, "\(subject) \(folder) is the result of job \(manifest.id)",
          again(job))
      ]
    }
    return (manifest.arrays ?? []).compactMap { array in
      guard let fault = fault(of: array, in: folder) else { return nil }
      return Finding(.arrayWrong, "\(folder)/\(array.file)", "\(subject) \(fault)", again(job))
    }
  }

  /// What is wrong with an array's file: its header, and its size, which the header's shape determines.
  private func fault(of array: PublishedManifest.Entry, in folder: String) -> String? {
    let path = "\(folder)/\(array.file)"
    do throws(FormatError) {
      let file = try NPYFile(examining: path)
      guard file.shape == array.shape else {
        return "\(path) has shape \(file.shape), and its manifest says \(array.shape)"
      }
      return nil
    } catch { return error.sentence }
  }

  /// What is in `results/`: partial folders of nothing that runs, and results of one job under two names.
  func published(_ names: [String], _ jobs: [Int64: Job], _ extent: inout Extent) -> [Finding] {
    var findings: [Finding] = []
    for name in names.sorted() {
      let path = "\(folders.results)/\(name)"
      if name.hasPrefix(".") {
        if let finding = partial(name, path, jobs) { findings.append(finding) }
        continue
      }
      extent.results += 1
      guard let manifest = try? PublishedManifest(folder: path) else { continue }
      guard manifest.id > 0, let job = jobs[manifest.id] else {
        extent.unownedResults += 1
        continue
      }
      // A store that was lost and begun anew may have given the id to a job of another name.
      guard job.state == .succeeded, let result = job.result, result != name,
        manifest.name == job.name,
        (try? PublishedManifest(folder: "\(folders.results)/\(result)"))?.sha256 == manifest.sha256
      else { continue }
      findings.append(
        Finding(
          .publishedTwice, path,
          "job \(job.id) (\(job.name)) is published twice: as \(result) and as \(name)",
          .byHand("remove \(path)")))
    }
    return findings
  }

  private func partial(_ name: String, _ path: String, _ jobs: [Int64: Job]) -> Finding? {
    guard name.hasPrefix(".partial-"), !ForegroundRun.isLive(partial: name) else { return nil }
    let id = name.dropFirst(".partial-".count).prefix { $0 != "-" }
    if isServed, let job = Int64(id).flatMap({ jobs[$0] }), job.state == .running { return nil }
    let queued = Set(jobs.values.lazy.filter { $0.state == .queued }.map(\.id))
    if PartialFolders.isKept(name, in: folders.results, queued: queued) { return nil }
    return Finding(
      .partialWithoutJob, path, "\(path) is a partial result of nothing that runs", .start)
  }
}
