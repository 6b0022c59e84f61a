import Foundation
import Store
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct `Size` {
    @Test(.timeLimit(.minutes(3)))
    func `1 GiB of dense results takes less than 300 MiB of memory`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue)
      // 64·256 + 256 + 256·256 + 256 + 256·8 + 8 = 84,488 parameters, times 8 outputs, times 8 bytes a sample.
      let bytesPerSample = 84_488 * 8 * 8
      let samples = (1 << 30) / bytesPerSample + 1
      let policy = JobText(
        widths: [64, 256, 256, 8], samples: samples, gradients: #"["parameter-jacobian"]"#)
      try queue.drop(policy.json, as: "policy.json")
      let job = try await queue.wait(for: "policy", within: .seconds(120))
      #expect(job.state == .succeeded && job.bytes == Int64(samples * bytesPerSample))
      #expect(job.bytes >= 1 << 30)
      let took = try #require(try queue.result("policy").manifest()["took"] as? [String: Any])
      let peak = try #require(took["peak_memory_bytes"] as? Int)
      #expect(peak < 300 << 20, "\(peak >> 20) MiB")
      #expect(peak > 10 << 20, "it was measured")
      // What the scheduler reserved for it was true.
      #expect(peak <= Int(job.memory))
      try await daemon.end(SIGTERM)
    }

    @Test(.timeLimit(.minutes(2)))
    func `more than there is of memory or disk is refused with the numbers`() async throws {
      let queue = try TestQueue()
      let daemon = try await RunningDaemon(on: queue, ["--memory", "80MiB"])
      try queue.drop(Oversized.memory.sparse, as: "wide.safetensors")
      try queue.drop(try Oversized.disk(at: queue.folder.path).sparse, as: "long.safetensors")
      let wide = try await queue.wait(for: "wide.safetensors")
      #expect(wide.state == .refused && wide.reasonCode == "does-not-fit")
      try Oversized.checkMemorySentence(
        wide.reasonText ?? "", file: "jobs/wide.safetensors", available: "80.0 MiB")
      let long = try await queue.wait(for: "long.safetensors")
      #expect(long.state == .refused && long.reasonCode == "does-not-fit")
      try Oversized.checkDiskSentence(long.reasonText ?? "", file: "jobs/long.safetensors")
      for job in [wide, long] {
        let note = try queue.folder.text(of: "jobs/refused/\(job.name).reason.txt")
        #expect(note == (job.reasonText ?? "") + "\n")
      }
      try queue.drop(JobText().json, as: "small.json")
      #expect(try await queue.wait(for: "small").state == .succeeded)
      try await daemon.end(SIGTERM)
    }
  }
}
