import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Processing

/// A small job of many blocks, as a document.
struct ResumableJob: CustomTestStringConvertible, Sendable {
  let name: String
  var dtype = "float64"
  /// As they stand in the document.
  let gradients: String
  /// T, of a recurrent network.
  var steps: Int?
  var strategy: String?
  var seed: UInt64 = 1
  /// n_1, of a feed-forward network.
  var width = 24
  /// Samples; 1500 are about fifteen blocks.
  var samples = 1500
  /// Sequences, each a block at least: when 0.7 of 15 are finished, three threads cannot have begun all.
  var sequences = 15

  var testDescription: String { name }

  var document: String {
    var generator = SeededGenerator(seed: seed)
    /// Every 50th row is zero if `hasZeros`: without biases it stands at the kink.
    func rows(_ count: Int, _ columns: Int, hasZeros: Bool = false) -> String {
      "["
        + (0..<count).map { row in
          let numbers = generator.numbers(columns, scale: hasZeros && row % 50 == 0 ? 0 : 1)
          return "[" + numbers.map { "\($0)" }.joined(separator: ", ") + "]"
        }.joined(separator: ", ") + "]"
    }
    func ofSequences(_ columns: Int, _ steps: Int) -> String {
      "["
        + (0..<sequences).map { _ in rows(steps, columns, hasZeros: true) }.joined(separator: ", ")
        + "]"
    }
    let recurrent = steps == nil ? "" : #", "recurrent_units": 4"#
    let (inputs, outputs) = steps == nil ? (3, 4) : (2, 3)
    let widths = steps == nil ? [3, width, 4] : [6, 12, 7]
    let layers = (1...2).map { k in
      #"{"weights": \#(rows(widths[k], widths[k - 1])), "activation": "\#(k == 1 ? "relu" : "tanh")"}"#
    }
    let count = samples
    let x = steps.map { ofSequences(inputs, $0) } ?? rows(count, inputs, hasZeros: true)
    let t = steps.map { ofSequences(outputs, $0) } ?? rows(count, outputs)
    let way = strategy.map { #", "strategy": "\#($0)""# } ?? ""
    return #"""
      {"version": 1, "network": {"type": "\#(steps == nil ? "feed-forward" : "recurrent")"\#(recurrent),
      "layers": [\#(layers.joined(separator: ", "))]}, "inputs": \#(x), "targets": \#(t),
      "dtype": "\#(dtype)"\#(way), "gradients": \#(gradients)}
      """#
  }

  static let all = [
    ResumableJob(name: "dense", gradients: #"["outputs", "parameter-jacobian"]"#),
    ResumableJob(
      name: "dense, float32", dtype: "float32",
      gradients: #"["parameter-jacobian", "loss", "loss-gradient"]"#),
    ResumableJob(
      name: "matrix", gradients: #"[{"of": "parameter-jacobian", "layout": "matrix"}]"#),
    ResumableJob(
      name: "factored", gradients: #"[{"of": "parameter-jacobian", "form": "factored"}, "loss"]"#),
    ResumableJob(name: "inputs", gradients: #"["input-jacobian", "local-gradients"]"#),
    ResumableJob(name: "summed first", gradients: #"["loss-gradient", "parameter-jacobian"]"#),
    ResumableJob(name: "only sums, float32", dtype: "float32", gradients: #"["loss-gradient"]"#),
    // Four rows of tiles.
    ResumableJob(
      name: "kernel behind sums", gradients: #"["neural-tangent-kernel", "loss-gradient"]"#,
      samples: 450),
    // Five rows, of each of two outputs.
    ResumableJob(
      name: "kernel per output, float32", dtype: "float32",
      gradients: #"[{"of": "neural-tangent-kernel", "form": "per-output", "outputs": [1, 3]}]"#,
      samples: 2200),
    ResumableJob(
      name: "forward", gradients: #"["parameter-jacobian", "loss", "loss-gradient"]"#, steps: 17,
      strategy: "forward"),
    ResumableJob(
      name: "adjoint", gradients: #"[{"of": "parameter-jacobian", "layout": "matrix"}]"#,
      steps: 17, strategy: "adjoint"),
    ResumableJob(
      name: "blocked, float32", dtype: "float32",
      gradients: #"["state-jacobian", "input-jacobian", "loss-gradient"]"#, steps: 17,
      strategy: "blocked"),
    ResumableJob(
      name: "one sequence, forward",
      gradients: #"["loss", "transition-jacobian", "parameter-jacobian", "loss-gradient"]"#,
      steps: 700, strategy: "forward", sequences: 1),
    ResumableJob(
      name: "one sequence, adjoint, float32", dtype: "float32",
      gradients: #"[{"of": "parameter-jacobian", "layout": "matrix"}]"#, steps: 400,
      strategy: "adjoint", sequences: 1),
    ResumableJob(
      name: "one sequence, blocked, every tenth step",
      gradients:
        #"[{"of": "state-jacobian", "steps": \#((0..<300).map { 10 * $0 + 7 })}]"#,
      steps: 3000, strategy: "blocked", sequences: 1),
  ]
}

/// The attempts of one job, in a folder of their own.
final class Attempts {
  let here: TemporaryFolder

  init(_ job: ResumableJob) throws {
    here = try TemporaryFolder()
    try here.write(job.document, to: "job.json")
    try FileManager.default.createDirectory(
      atPath: here("results"), withIntermediateDirectories: false)
  }

  func order(_ attempt: Int, threads: Int, checkpoint: Double = 1e-9) -> WorkOrder {
    WorkOrder(
      id: 1, attempt: attempt, name: "job", file: here("job.json"),
      partial: here("results/.partial-1-\(attempt)"), threads: threads, memory: 1 << 30,
      checkpoint: checkpoint)
  }

  /// Computes an attempt to its end; gives every file's bytes, and the manifest.
  func complete(
    _ attempt: Int, threads: Int
  ) throws -> (arrays: [String: Data], manifest: [String: Any]) {
    let written = try JobProcessor.compute(order(attempt, threads: threads), monitor: Watch())
    var arrays: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: written.partial) {
      guard name.hasSuffix(".npy") else {
        #expect(!name.hasPrefix("."), "what was kept is published")
        continue
      }
      arrays[name] = try Data(contentsOf: URL(filePath: "\(written.partial)/\(name)"))
    }
    let manifest = try Data(contentsOf: URL(filePath: written.partial + "/manifest.json"))
    return (
      arrays, try JSONSerialization.jsonObject(with: manifest) as? [String: Any] ?? [:]
    )
  }

  /// Computes an attempt until so much of its blocks is finished and it has a record, and leaves what a kill would leave at that moment.
  ///
  /// The record is copied before the arrays, so that these are as a crash may leave them: further than the record says.
  func kill(_ attempt: Int, at fraction: Double, threads: Int) throws {
    let order = order(attempt, threads: threads)
    let image = here("image")
    let watch = Watch(
      isDue: { $0 >= fraction }, isReady: { ProgressRecord.isThere(in: order.partial) },
      stop: {
        try FileManager.default.createDirectory(
          atPath: image, withIntermediateDirectories: false)
        let files = FileManager.default
        let record = URL(filePath: "\(order.partial)/\(ProgressRecord.name)")
        var bytes: Data
        repeat {
          // With its state, which may go when another thread keeps meanwhile: then again.
          bytes = try Data(contentsOf: record)
          for name in try files.contentsOfDirectory(atPath: order.partial)
          where name.hasPrefix(".state-") {
            try? files.copyItem(atPath: "\(order.partial)/\(name)", toPath: "\(image)/\(name)")
          }
        } while try Data(contentsOf: record) != bytes
        try bytes.write(to: URL(filePath: "\(image)/\(ProgressRecord.name)"))
        for name in try files.contentsOfDirectory(atPath: order.partial)
        where !name.hasPrefix(".") {
          try files.copyItem(atPath: "\(order.partial)/\(name)", toPath: "\(image)/\(name)")
        }
      })
    #expect(throws: JobError.self) { _ = try JobProcessor.compute(order, monitor: watch) }
    try FileManager.default.moveItem(atPath: image, toPath: order.partial)
  }

  /// Lets a daemon that stops take an attempt back when so much of its blocks is finished.
  func giveBack(_ attempt: Int, at fraction: Double, threads: Int) throws {
    let watch = Watch(isGivenBack: true, isDue: { $0 >= fraction })
    let error = try #require(throws: JobError.self) {
      _ = try JobProcessor.compute(order(attempt, threads: threads), monitor: watch)
    }
    #expect(error.code == .cancelled)
  }
}

/// Stops an attempt when so much of it is finished.
final class Watch: AttemptMonitor {
  private let isDue: @Sendable (Double) -> Bool
  private let isReady: @Sendable () -> Bool
  private let stop: @Sendable () throws -> Void
  private let hasStopped = Atomic(false)
  private let stopping = Mutex(())
  let isGivenBack: Bool

  /// Calls `stop` once, when a block is finished and `isDue` says so of the fraction that is.
  ///
  /// Threads that come that far wait for `isReady`, or the others would have finished the job while one still writes its first record.
  init(
    isGivenBack: Bool = false, isDue: @escaping @Sendable (Double) -> Bool = { _ in false },
    isReady: @escaping @Sendable () -> Bool = { true },
    stop: @escaping @Sendable () throws -> Void = {}
  ) {
    self.isGivenBack = isGivenBack
    self.isDue = isDue
    self.isReady = isReady
    self.stop = stop
  }

  var isCancelled: Bool { hasStopped.load(ordering: .acquiring) }

  func finished(blocks: Int, of total: Int) {
    guard isDue(Double(blocks) / Double(total)) else { return }
    let deadline = ContinuousClock.now + .seconds(40)
    while !isReady(), !isCancelled, ContinuousClock.now < deadline { usleep(200) }
    stopping.withLock { _ in
      guard !isCancelled, isReady() else { return }
      do { try stop() } catch { Issue.record(error) }
      hasStopped.store(true, ordering: .releasing)
    }
  }
}
