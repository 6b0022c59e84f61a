#pragma once
#include <cblas.h>
#include <link.h>

// OpenBLAS is loaded by dlopen, not linked, so that its settings can be made before it starts; these are
// the types of the functions looked up in it, taken from its own declarations.
typedef __typeof__(&cblas_dgemm) nnjobs_dgemm;
typedef __typeof__(&cblas_sgemm) nnjobs_sgemm;
typedef __typeof__(&cblas_dgemv) nnjobs_dgemv;
typedef __typeof__(&cblas_sgemv) nnjobs_sgemv;
typedef __typeof__(&cblas_dsyrk) nnjobs_dsyrk;
typedef __typeof__(&cblas_ssyrk) nnjobs_ssyrk;
// LAPACK's own interface, which cblas.h does not declare: every argument by reference, lengths of texts last.
typedef void (*nnjobs_dsyevd)(const char *, const char *, const int *, double *, const int *, double *, double *,
                              const int *, int *, const int *, int *, size_t, size_t);
typedef void (*nnjobs_ssyevd)(const char *, const char *, const int *, float *, const int *, float *, float *,
                              const int *, int *, const int *, int *, size_t, size_t);
typedef __typeof__(&openblas_get_corename) nnjobs_openblas_get_corename;
typedef __typeof__(&openblas_get_config) nnjobs_openblas_get_config;
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

// dlinfo(3) and its RTLD_DI_LINKMAP stand behind _GNU_SOURCE; the file that a handle of dlopen(3) was loaded from, or null.
extern int dlinfo(void *handle, int request, void *info);
static inline const char *nnjobs_path_of_library(void *handle) {
  struct link_map *map = 0;
  return dlinfo(handle, 2, &map) == 0 && map ? map->l_name : 0;
}
