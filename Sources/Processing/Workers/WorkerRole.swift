import CLinux
import Dispatch
import Formats
import FoundationEssentials
import Glibc
import Jacobians
import Synchronization

/// The worker's side: computes one job at a time, listens for cancellation, ends with its daemon.
package final class WorkerRole: Sendable {
  private let channel: MessageChannel
  private let cancelled = Atomic<Int64>(0)
  private let givenBack = Atomic<Int64>(0)
  private let computing = DispatchQueue(label: "nnjobs.worker.computing")

  private init(channel: MessageChannel) { self.channel = channel }

  /// Serves the daemon on the inherited channel until it closes.
  package static func serve() -> Never {
    _ = unsafe nnjobs_set_process_name("nnjobs-worker")
    BusError.exitCleanly()
    ResourceLimits.prepareWorker()
    // The daemon says where the profile is; the kernels must be chosen before OpenBLAS and threads.
    KernelChoice.settle(
      profile: ProfilePlace(environment: ProcessInfo.processInfo.environment, state: nil)
        .profile?.profile)
    let socket = Descriptor(owning: WorkerProcess.channelDescriptor, path: "channel to the daemon")
    WorkerRole(channel: MessageChannel(owning: socket)).listen()
  }

  private func listen() -> Never {
    _ = channel.send(WorkerReply.ready)
    while let request = channel.receive(WorkerRequest.self) {
      switch request {
      case .run(let order):
        // A job may come again after it was cancelled; what was said about its last attempt is over.
        cancelled.store(0, ordering: .relaxed)
        givenBack.store(0, ordering: .relaxed)
        computing.async { [self] in compute(order) }
      case .cancel(let id): cancelled.store(id, ordering: .relaxed)
      case .giveBack(let id):
        givenBack.store(id, ordering: .relaxed)
        cancelled.store(id, ordering: .releasing)
      }
    }
    // The daemon is gone, and with it the right to go on; what was written is a partial folder.
    _exit(0)
  }

  private func compute(_ order: WorkOrder) {
    let reply: WorkerReply
    do throws(JobError) {
      let result = try JobProcessor.compute(order, monitor: Monitor(of: order.id, in: self))
      reply = .written(bytes: result.bytes)
    } catch {
      reply = .failed(error)
    }
    _ = channel.send(reply)
  }

  /// Passes progress on, a few times a second, and cancellation back.
  private final class Monitor: AttemptMonitor {
    private let id: Int64
    private let role: WorkerRole
    private let nextReport = Atomic<UInt64>(0)

    init(of id: Int64, in role: WorkerRole) {
      self.id = id
      self.role = role
    }

    var isCancelled: Bool { role.cancelled.load(ordering: .acquiring) == id }

    var isGivenBack: Bool { role.givenBack.load(ordering: .relaxed) == id }

    func resumed(blocks: Int, of total: Int) {
      _ = role.channel.send(WorkerReply.resumed(blocks: blocks, total: total))
    }

    func finished(blocks: Int, of total: Int) {
      let now = DispatchTime.now().uptimeNanoseconds
      let due = nextReport.load(ordering: .relaxed)
      let next = now + 200_000_000
      guard now >= due,
        nextReport.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged,
        due != 0
      else { return }
      _ = role.channel.send(WorkerReply.progress(blocks: blocks, total: total))
    }
  }
}
