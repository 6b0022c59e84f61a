/// What the daemon that serves a queue was told and found, as it notes it for those who ask why a job waits.
package struct QueueSettings: Hashable, Sendable {
  /// What jobs share.
  package let machine: MachineLimits
  /// How many jobs of one user run at once; nil means any number.
  package let userRunning: Int?
  /// Bytes of disk that the results of one user may take in all; nil means any number.
  package let userResults: Int?
  /// The daemon's own user, who is limited as little as root.
  private let daemonUser: UInt32

  /// What a daemon notes.
  package init(machine: MachineLimits, limits: QueueLimits) {
    self.machine = machine
    userRunning = limits.running
    userResults = limits.results
    daemonUser = limits.daemonUser
  }

  /// What a daemon noted; nil before the first that does.
  package init?(_ values: [String: String]) {
    guard let cores = values["cores"].flatMap({ Int($0) }),
      let memory = values["memory"].flatMap({ Int($0) }),
      let user = values["daemon-user"].flatMap({ UInt32($0) })
    else { return nil }
    machine = MachineLimits(cores: cores, memory: memory)
    userRunning = values["user-running"].flatMap { Int($0) }
    userResults = values["user-results"].flatMap { Int($0) }
    daemonUser = user
  }

  /// The same by name, as the store keeps it.
  package var values: [String: String] {
    var values = [
      "cores": "\(machine.cores)", "memory": "\(machine.memory)", "daemon-user": "\(daemonUser)",
      "version": Version.current,
    ]
    if let userRunning { values["user-running"] = "\(userRunning)" }
    if let userResults { values["user-results"] = "\(userResults)" }
    return values
  }

  /// The limits that hold for jobs which are to start.
  package var limits: QueueLimits {
    var settings = Configuration()
    settings.userRunning = userRunning
    settings.userResults = userResults
    return QueueLimits(settings, daemonUser: daemonUser)
  }
}
