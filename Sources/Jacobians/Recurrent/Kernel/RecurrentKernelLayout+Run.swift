import Synchronization

extension RecurrentKernelLayout {
  /// Computes the kernel by as many threads at once as there are places; what the rows' sequences showed, if they are counted.
  func run<T: Scalar>(
    _ job: RecurrentJob<T>, in places: [SequencePlace<T>], threadsEach: Int, counts: Bool
  ) throws -> Numerics {
    let others =
      gradient.others.map { RecurrentJob($0.problem(beside: job.problem), beside: job) } ?? job
    let tasks = tasks
    let seen = Mutex(Numerics())
    let passes = places.map {
      RecurrentKernelPass(
        layout: self, job: job, others: others, team: Team(threads: threadsEach), place: $0)
    }
    try Team(threads: places.count).share(tasks.count) { task, member in
      do {
        let own = try passes[member].run(tasks[task], counts: counts)
        seen.withLock { $0.add(own) }
      } catch {
        job.stop(because: error)
        throw error
      }
    }
    try passes[0].writeRest()
    return seen.withLock { $0 }
  }
}
