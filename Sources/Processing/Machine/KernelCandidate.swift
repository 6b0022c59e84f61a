/// OpenBLAS's kernels for one kind of processor, and the instructions they are compiled with.
///
/// Only kernels whose every instruction the processor has are ever started: others end in SIGILL.
package struct KernelCandidate: Hashable, Sendable {
  /// The name that OPENBLAS_CORETYPE takes.
  package let name: String
  /// The flags of /proc/cpuinfo it needs.
  let needs: Set<String>

  private static let haswell: Set<String> = ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "movbe"]
  private static let skylake = haswell.union([
    "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "adx", "clflushopt", "clwb",
    "rdseed",
    "xsavec", "xsaves",
  ])

  /// The x86-64 kernels worth a try, the usual first; the last three for processors without AVX2.
  private static let all = [
    KernelCandidate(name: "Haswell", needs: haswell),
    KernelCandidate(name: "Zen", needs: haswell),
    KernelCandidate(name: "SkylakeX", needs: skylake),
    KernelCandidate(
      name: "Cooperlake", needs: skylake.union(["avx512_vnni", "avx512_bf16"])),
    KernelCandidate(name: "Sandybridge", needs: ["avx", "sse4_2"]),
    KernelCandidate(name: "Nehalem", needs: ["sse4_2"]),
    KernelCandidate(name: "Prescott", needs: ["pni"]),
  ]

  /// What this processor can run, the usual first; none where the processor is of another kind.
  package static func runnable(on processor: Processor) -> [KernelCandidate] {
    let able = all.filter { $0.needs.isSubset(of: processor.flags) }
    // AVX2 kernels are faster wherever they run: the older ones are not worth the time.
    let new = able.filter { $0.needs.isSuperset(of: haswell) }
    return new.isEmpty ? able : new
  }
}
