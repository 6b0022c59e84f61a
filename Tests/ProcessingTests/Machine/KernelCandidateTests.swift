import Testing

@testable import Processing

@Suite struct KernelCandidateTests {
  static let haswell = "avx avx2 fma f16c bmi1 bmi2 movbe sse4_2 pni"
  static let skylake =
    haswell
    + " avx512f avx512cd avx512bw avx512dq avx512vl adx clflushopt clwb rdseed xsavec xsaves"
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let flags: String
    let kernels: [String]
  }
  static let cases = [
    Case(testDescription: "Haswell", flags: haswell, kernels: ["Haswell", "Zen"]),
    Case(
      testDescription: "Skylake with AVX-512", flags: skylake,
      kernels: ["Haswell", "Zen", "SkylakeX"]),
    Case(
      testDescription: "AVX-512 without the vector lengths",
      flags: skylake.replacing(" avx512vl", with: ""), kernels: ["Haswell", "Zen"]),
    Case(
      testDescription: "bfloat16", flags: skylake + " avx512_vnni avx512_bf16",
      kernels: ["Haswell", "Zen", "SkylakeX", "Cooperlake"]),
    Case(
      testDescription: "AVX without AVX2", flags: "avx sse4_2 pni",
      kernels: ["Sandybridge", "Nehalem", "Prescott"]),
    Case(testDescription: "SSE3 only", flags: "pni", kernels: ["Prescott"]),
    Case(testDescription: "another architecture", flags: "asimd fp", kernels: []),
  ]

  @Test(arguments: cases) func `only kernels whose instructions are there are offered`(
    _ test: Case
  ) {
    let processor = Processor(
      cpuinfo: "model name\t: X\nflags\t\t: \(test.flags)\n\nflags\t: none\n")
    #expect(KernelCandidate.runnable(on: processor).map(\.name) == test.kernels)
  }

  @Test func `a processor is its first core's description`() {
    let amd = Processor(
      cpuinfo: """
        processor\t: 0
        vendor_id\t: AuthenticAMD
        cpu family\t: 25
        model\t\t: 17
        model name\t: AMD EPYC 9654
        stepping\t: 1
        flags\t\t: fpu avx2

        processor\t: 1
        model name\t: another
        """)
    #expect(amd.model == "AMD EPYC 9654 25/17/1")
    #expect(amd.flags == ["fpu", "avx2"])
    let arm = Processor(cpuinfo: "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd0c\n")
    #expect(arm.model == "0xd0c")
    #expect(arm.flags == ["fp", "asimd"])
    #expect(Processor(cpuinfo: "").model == "unknown processor")
  }
}
