#pragma once
// AVX2 and FMA for the loops that wait for one another, a step of a sequence after the step before: too short for a
// library call each. The package is built for every x86-64 processor, so whoever calls these asks
// nnjobs_has_avx2 first; the functions are compiled for AVX2 alone, whatever the rest is compiled for.
//
// What is left of a row after whole registers goes through a register of its own by the same instructions, so the
// bits of a tanh do not depend on its place, and those of a product on its column and W's extents alone.
#include <stddef.h>
#include "gram.h"
#include "rows.h"
#if defined(__x86_64__)
#include <immintrin.h>

static inline int nnjobs_has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

// So that what a register number counts becomes a register.
#define NNJOBS_UNROLLED _Pragma("clang loop unroll(full)")
#define NNJOBS_AVX2 __attribute__((target("avx2,fma"))) static inline

// The mask that loads and stores the first `count` of a register's lanes.
NNJOBS_AVX2 __m256i nnjobs_lanes_f64(long count) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
NNJOBS_AVX2 __m256i nnjobs_lanes_f32(long count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// y <- x W, or y + x W: x has `depth` numbers, W (depth, width) has rows `stride` numbers apart, y has `width`.
//
// Columns are taken up to twelve registers at a time, which stay where they are while all rows of W pass. Few of them
// would wait for one another's sums, so then even and odd rows have sums of their own.
#define NNJOBS_ACCUMULATE(NAME, T, V, LANES, ZERO, LOAD, STORE, MASKLOAD, MASKSTORE, BROADCAST, FMA, ADD, MASK)       \
  __attribute__((always_inline)) NNJOBS_AVX2 void NAME##_block(                                                      \
    const T *x, long depth, const T *w, long stride, T *y, const int registers, long last, int adding) {             \
    const int pairs = registers <= 5;                                                                                \
    __m256i mask = MASK(last);                                                                                       \
    V s[12], t[5];                                                                                                   \
    NNJOBS_UNROLLED                                                                                                  \
    for (int r = 0; r < registers; r++) {                                                                            \
      V old = r + 1 < registers ? LOAD(y + r * LANES) : MASKLOAD(y + r * LANES, mask);                               \
      s[r] = adding ? old : ZERO();                                                                                  \
      if (pairs) t[r] = ZERO();                                                                                      \
    }                                                                                                                \
    long k = 0;                                                                                                      \
    for (; pairs && k + 2 <= depth; k += 2, w += 2 * stride) {                                                       \
      V first = BROADCAST(x + k), second = BROADCAST(x + k + 1);                                                     \
      NNJOBS_UNROLLED                                                                                                \
      for (int r = 0; r < registers; r++) {                                                                          \
        V a = r + 1 < registers ? LOAD(w + r * LANES) : MASKLOAD(w + r * LANES, mask);                               \
        V b = r + 1 < registers ? LOAD(w + stride + r * LANES) : MASKLOAD(w + stride + r * LANES, mask);             \
        s[r] = FMA(first, a, s[r]);                                                                                  \
        t[r] = FMA(second, b, t[r]);                                                                                 \
      }                                                                                                              \
    }                                                                                                                \
    for (; k < depth; k++, w += stride) {                                                                            \
      V factor = BROADCAST(x + k);                                                                                   \
      NNJOBS_UNROLLED                                                                                                \
      for (int r = 0; r < registers; r++)                                                                            \
        s[r] = FMA(factor, r + 1 < registers ? LOAD(w + r * LANES) : MASKLOAD(w + r * LANES, mask), s[r]);           \
    }                                                                                                                \
    NNJOBS_UNROLLED                                                                                                  \
    for (int r = 0; r < registers; r++) {                                                                            \
      if (pairs) s[r] = ADD(s[r], t[r]);                                                                             \
      if (r + 1 < registers) STORE(y + r * LANES, s[r]);                                                             \
      else MASKSTORE(y + r * LANES, mask, s[r]);                                                                     \
    }                                                                                                                \
  }                                                                                                                  \
  NNJOBS_AVX2 void NAME(const T *x, long depth, const T *w, long stride, T *y, long width, int adding) {             \
    for (; width > 12 * LANES; width -= 8 * LANES, w += 8 * LANES, y += 8 * LANES)                                   \
      NAME##_block(x, depth, w, stride, y, 8, LANES, adding);                                                        \
    long count = (width + LANES - 1) / LANES, last = width - (count - 1) * LANES;                                    \
    switch (count) {                                                                                                 \
      case 1: NAME##_block(x, depth, w, stride, y, 1, last, adding); break;                                          \
      case 2: NAME##_block(x, depth, w, stride, y, 2, last, adding); break;                                          \
      case 3: NAME##_block(x, depth, w, stride, y, 3, last, adding); break;                                          \
      case 4: NAME##_block(x, depth, w, stride, y, 4, last, adding); break;                                          \
      case 5: NAME##_block(x, depth, w, stride, y, 5, last, adding); break;                                          \
      case 6: NAME##_block(x, depth, w, stride, y, 6, last, adding); break;                                          \
      case 7: NAME##_block(x, depth, w, stride, y, 7, last, adding); break;                                          \
      case 8: NAME##_block(x, depth, w, stride, y, 8, last, adding); break;                                          \
      case 9: NAME##_block(x, depth, w, stride, y, 9, last, adding); break;                                          \
      case 10: NAME##_block(x, depth, w, stride, y, 10, last, adding); break;                                        \
      case 11: NAME##_block(x, depth, w, stride, y, 11, last, adding); break;                                        \
      case 12: NAME##_block(x, depth, w, stride, y, 12, last, adding); break;                                        \
    }                                                                                                                \
  }

NNJOBS_ACCUMULATE(
  nnjobs_accumulate_f64, double, __m256d, 4, _mm256_setzero_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_maskload_pd,
  _mm256_maskstore_pd, _mm256_broadcast_sd, _mm256_fmadd_pd, _mm256_add_pd, nnjobs_lanes_f64)
NNJOBS_ACCUMULATE(
  nnjobs_accumulate_f32, float, __m256, 8, _mm256_setzero_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_maskload_ps,
  _mm256_maskstore_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_add_ps, nnjobs_lanes_f32)

// tanh of four numbers: the formula of HyperbolicTangent.swift, which see.
NNJOBS_AVX2 __m256d nnjobs_tanh_register_f64(__m256d x) {
  const __m256d sign = _mm256_set1_pd(-0.0);
  __m256d a = _mm256_andnot_pd(sign, x);
  // In this order a NaN stays one.
  __m256d bounded = _mm256_min_pd(_mm256_set1_pd(20), a);
  __m256d y = _mm256_add_pd(bounded, bounded);
  const __m256d shift = _mm256_set1_pd(0x1.8p+52);
  __m256d shifted = _mm256_fmadd_pd(y, _mm256_set1_pd(0x1.71547652b82fep+0), shift);
  __m256d n = _mm256_sub_pd(shifted, shift);
  __m256d r = _mm256_fnmadd_pd(n, _mm256_set1_pd(0x1.62e42fee00000p-1), y);
  r = _mm256_fnmadd_pd(n, _mm256_set1_pd(0x1.a39ef35793c76p-33), r);
  __m256d s = _mm256_set1_pd(1.0 / 6227020800);
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 479001600));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 39916800));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 3628800));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 362880));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 40320));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 5040));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 720));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 120));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 24));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(1.0 / 6));
  s = _mm256_fmadd_pd(s, r, _mm256_set1_pd(0.5));
  __m256i exponent = _mm256_add_epi64(_mm256_castpd_si256(shifted), _mm256_set1_epi64x(1023));
  __m256d power = _mm256_castsi256_pd(_mm256_slli_epi64(exponent, 52));
  __m256d series = _mm256_fmadd_pd(_mm256_mul_pd(r, r), s, r);
  __m256d e = _mm256_fmadd_pd(power, series, _mm256_sub_pd(power, _mm256_set1_pd(1)));
  __m256d t = _mm256_div_pd(e, _mm256_add_pd(e, _mm256_set1_pd(2)));
  return _mm256_or_pd(_mm256_andnot_pd(sign, t), _mm256_and_pd(sign, x));
}

// tanh of eight numbers.
NNJOBS_AVX2 __m256 nnjobs_tanh_register_f32(__m256 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 a = _mm256_andnot_ps(sign, x);
  __m256 bounded = _mm256_min_ps(_mm256_set1_ps(10), a);
  __m256 y = _mm256_add_ps(bounded, bounded);
  const __m256 shift = _mm256_set1_ps(0x1.8p+23f);
  __m256 shifted = _mm256_fmadd_ps(y, _mm256_set1_ps(0x1.715476p+0f), shift);
  __m256 n = _mm256_sub_ps(shifted, shift);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.62e4p-1f), y);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.7f7d1cp-20f), r);
  __m256 s = _mm256_set1_ps(1.0f / 40320);
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 5040));
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 720));
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 120));
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 24));
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 6));
  s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(0.5f));
  __m256i exponent = _mm256_add_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(127));
  __m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  __m256 series = _mm256_fmadd_ps(_mm256_mul_ps(r, r), s, r);
  __m256 e = _mm256_fmadd_ps(power, series, _mm256_sub_ps(power, _mm256_set1_ps(1)));
  __m256 t = _mm256_div_ps(e, _mm256_add_ps(e, _mm256_set1_ps(2)));
  return _mm256_or_ps(_mm256_andnot_ps(sign, t), _mm256_and_ps(sign, x));
}

// v <- tanh v and, where slopes is not null, slopes <- 1 - tanh^2 v.
#define NNJOBS_TANH(NAME, T, V, LANES, LOAD, STORE, MASKLOAD, MASKSTORE, ONE, FNMADD, REGISTER, MASK) \
  NNJOBS_AVX2 void NAME(T *v, T *slopes, long count) {                                              \
    long i = 0;                                                                                     \
    for (; i + LANES <= count; i += LANES) {                                                        \
      V t = REGISTER(LOAD(v + i));                                                                  \
      STORE(v + i, t);                                                                              \
      if (slopes) STORE(slopes + i, FNMADD(t, t, ONE(1)));                                          \
    }                                                                                               \
    if (i < count) {                                                                                \
      __m256i mask = MASK(count - i);                                                               \
      V t = REGISTER(MASKLOAD(v + i, mask));                                                        \
      MASKSTORE(v + i, mask, t);                                                                    \
      if (slopes) MASKSTORE(slopes + i, mask, FNMADD(t, t, ONE(1)));                                \
    }                                                                                               \
  }

NNJOBS_TANH(
  nnjobs_tanh_f64, double, __m256d, 4, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_maskload_pd, _mm256_maskstore_pd,
  _mm256_set1_pd, _mm256_fnmadd_pd, nnjobs_tanh_register_f64, nnjobs_lanes_f64)
NNJOBS_TANH(
  nnjobs_tanh_f32, float, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps,
  _mm256_set1_ps, _mm256_fnmadd_ps, nnjobs_tanh_register_f32, nnjobs_lanes_f32)

// out <- column (x) row, (rows, width), by stores that go past the caches: whole registers at aligned places, the few
// numbers before and after one by one. The fence makes them visible before whatever the caller does next.
#define NNJOBS_STORE_OUTER(NAME, T, V, LANES, BROADCAST, LOAD, MULTIPLY, STREAM)                        \
  NNJOBS_AVX2 void NAME(const T *column, long rows, const T *row, long width, T *out) {                 \
    for (long j = 0; j < rows; j++, out += width) {                                                     \
      V factor = BROADCAST(column + j);                                                                 \
      long i = 0;                                                                                       \
      for (; i < width && ((size_t)(out + i) & (sizeof(V) - 1)); i++) out[i] = column[j] * row[i];      \
      for (; i + LANES <= width; i += LANES) STREAM(out + i, MULTIPLY(factor, LOAD(row + i)));          \
      for (; i < width; i++) out[i] = column[j] * row[i];                                               \
    }                                                                                                   \
    _mm_sfence();                                                                                       \
  }
NNJOBS_STORE_OUTER(
  nnjobs_store_outer_f64, double, __m256d, 4, _mm256_broadcast_sd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_stream_pd)
NNJOBS_STORE_OUTER(
  nnjobs_store_outer_f32, float, __m256, 8, _mm256_broadcast_ss, _mm256_loadu_ps, _mm256_mul_ps, _mm256_stream_ps)

#else
// Other processors take the plain loops.
static inline int nnjobs_has_avx2(void) { return 0; }
static inline void nnjobs_accumulate_f64(
  const double *x, long depth, const double *w, long stride, double *y, long width, int adding) {}
static inline void nnjobs_accumulate_f32(
  const float *x, long depth, const float *w, long stride, float *y, long width, int adding) {}
static inline void nnjobs_store_outer_f64(
  const double *column, long rows, const double *row, long width, double *out) {}
static inline void nnjobs_store_outer_f32(
  const float *column, long rows, const float *row, long width, float *out) {}
static inline void nnjobs_tanh_f64(double *v, double *slopes, long count) {}
static inline void nnjobs_tanh_f32(float *v, float *slopes, long count) {}
#endif
