import Formats
import FoundationEssentials
import Glibc
import Jacobians
import Processing

/// Times the computation of a job file, over and over, into the same memory.
enum JobBench {
  /// What is printed.
  private struct Report: Encodable {
    let seconds: [Double]
    /// Of processors, all threads together.
    let cpuSeconds: [Double]
    /// To plan it, once it is parsed.
    let planSeconds: Double
    let strategy: String
    let chosen: String?
    let blockSteps: Int?
    let operations: Double
    let resultBytes: Int
    let kernel: String
    let stages: [String: Double]
    /// The most memory that this process had, results included, in bytes.
    let peakMemory: Int
  }

  static func run(_ file: String, runs: Int, threads: Int, results: String?) throws {
    let machine = MachineLimits(cores: threads, memory: 16 << 30)
    let job = try PlannedJob(
      JobFile(examining: file, references: .allowed), file: file, on: machine)
    switch job.plan.dtype {
    case .float64: try measure(job, Double.self, runs, threads, results)
    case .float32: try measure(job, Float.self, runs, threads, results)
    }
  }

  private static func measure<T: Scalar>(
    _ job: PlannedJob, _ type: T.Type, _ runs: Int, _ threads: Int, _ results: String?
  ) throws {
    let memory = ReusedMemory(job.plan.arrays, numberBytes: job.plan.dtype.byteCount)
    var last: ComputationReport
    var seconds: [Double] = []
    var cpuSeconds: [Double] = []
    func repeated(_ once: () throws -> ComputationReport) throws -> ComputationReport {
      var last = try once()
      for _ in 0..<runs {
        let start = cpuTime
        seconds.append(try ContinuousClock().seconds { last = try once() })
        cpuSeconds.append(cpuTime - start)
      }
      return last
    }
    var candidate: RecurrentPlan.Candidate?
    switch job.plan {
    case .feedForward(let plan):
      let problem = try job.jobFile.problem(type)
      last = try repeated {
        try Computation.run(
          plan, on: problem, into: memory, threads: threads, monitor: Unwatched())
      }
    case .recurrent(let plan):
      let problem = try job.jobFile.recurrentProblem(type)
      candidate = plan.candidates.first { $0.strategy == plan.chosen }
      last = try repeated {
        try Computation.run(
          plan, on: problem, into: memory, threads: threads, monitor: Unwatched())
      }
    }
    let peakMemory = PeakMemory.bytes
    let document = job.jobFile.document
    var planSeconds: [Double] = []
    for _ in 0..<max(3, min(runs, 1000)) {
      planSeconds.append(
        try ContinuousClock().seconds { _ = try JobPlan(of: document, memory: 16 << 30) })
    }
    if let results { try memory.data.write(to: URL(filePath: results)) }
    try report(
      Report(
        seconds: seconds, cpuSeconds: cpuSeconds,
        planSeconds: planSeconds.sorted()[planSeconds.count / 2],
        strategy: job.plan.strategy,
        chosen: candidate?.strategy.rawValue,
        blockSteps: candidate?.blockSteps, operations: job.plan.operations,
        resultBytes: job.plan.resultBytes, kernel: last.kernel,
        stages: Dictionary(last.seconds.map { ($0.stage, $0.seconds) }) { $1 },
        peakMemory: peakMemory))
  }
}

/// What all threads of this process have computed for, in seconds.
private var cpuTime: Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Memory for all arrays, one after another, touched before and kept.
@safe final class ReusedMemory: ResultSink, @unchecked Sendable {
  // Sendable: ranges that are written never overlap.
  private let base: UnsafeMutableRawPointer
  private let starts: [Int]
  private let sizes: [Int]
  private let count: Int

  init(_ arrays: [ResultArray], numberBytes: Int) {
    var starts: [Int] = []
    var sizes: [Int] = []
    var next = 0
    for array in arrays {
      starts.append(next)
      sizes.append(array.count * numberBytes)
      // Each array begins a line of the cache, as allocators give it.
      next = (next + array.count * numberBytes + 63) & ~63
    }
    self.starts = starts
    self.sizes = sizes
    count = next
    let hugePage = 2 << 20
    unsafe base = .allocate(byteCount: max(count, 1), alignment: hugePage)
    unsafe _ = madvise(base, count, MADV_HUGEPAGE)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 1, count: count)
  }

  deinit { unsafe base.deallocate() }

  func write(_ bytes: RawSpan, array: Int, at offset: Int) throws {
    unsafe bytes.withUnsafeBytes { source in
      guard let first = source.baseAddress else { return }
      unsafe (base + starts[array] + offset).copyMemory(from: first, byteCount: source.count)
    }
  }

  @unsafe func room(
    array: Int, at offset: Int, byteCount: Int
  ) -> UnsafeMutableRawBufferPointer? {
    precondition(offset >= 0 && offset + byteCount <= sizes[array], "an array holds what is asked")
    return unsafe UnsafeMutableRawBufferPointer(
      start: base + starts[array] + offset, count: byteCount)
  }

  /// All arrays' bytes, one after another, copied.
  var data: Data {
    var all = Data()
    for (start, size) in zip(starts, sizes) {
      unsafe all.append(Data(bytes: base + start, count: size))
    }
    return all
  }
}

/// Never cancels.
struct Unwatched: ComputationMonitor {
  func finished(blocks: Int, of total: Int) {}
  var isCancelled: Bool { false }
}
