#pragma once
#include <cblas.h>

// OpenBLAS is loaded by dlopen, not linked, so that its settings can be made before it starts; these are
// the types of the functions looked up in it, taken from its own declarations.
typedef __typeof__(&cblas_dgemm) nnjobs_dgemm;
typedef __typeof__(&cblas_sgemm) nnjobs_sgemm;
typedef __typeof__(&cblas_dgemv) nnjobs_dgemv;
typedef __typeof__(&cblas_sgemv) nnjobs_sgemv;
typedef __typeof__(&openblas_get_corename) nnjobs_openblas_get_corename;
typedef __typeof__(&openblas_get_parallel) nnjobs_openblas_get_parallel;
typedef __typeof__(&openblas_set_num_threads) nnjobs_openblas_set_num_threads;

// Whether this processor has the AVX2 and FMA instructions that OpenBLAS's Haswell kernels need.
static inline int nnjobs_has_haswell_instructions(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 0;
#endif
}
