#pragma once
// Passes over rows of numbers, which the compiler makes of as wide registers as it may use: once for AVX2 and once for
// whatever is always there.
#include <stddef.h>

#define NNJOBS_ROWS(NAME, T, I, LANES, TARGET)                                                                       \
  typedef T NAME##_vector __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T))));                       \
  typedef I NAME##_lanes __attribute__((vector_size(LANES * sizeof(T))));                                            \
  /* Whether all numbers are finite: x - x is 0 then, and a NaN of all others. */                                    \
  TARGET static inline int NAME##_are_finite(const T *x, long count) {                                               \
    NAME##_vector s[4] = {{0}, {0}, {0}, {0}};                                                                       \
    T rest = 0;                                                                                                      \
    long i = 0;                                                                                                      \
    for (; i + 4 * LANES <= count; i += 4 * LANES)                                                                   \
      for (int r = 0; r < 4; r++) {                                                                                  \
        NAME##_vector v = *(const NAME##_vector *)(x + i + r * LANES);                                               \
        s[r] += v - v;                                                                                               \
      }                                                                                                              \
    for (; i < count; i++) rest += x[i] - x[i];                                                                      \
    s[0] += s[1] + s[2] + s[3];                                                                                      \
    for (int r = 0; r < LANES; r++) rest += s[0][r];                                                                 \
    return rest == 0;                                                                                                \
  }                                                                                                                  \
  /* How many x have 1 - x^2 < bound. */                                                                             \
  TARGET static inline long NAME##_count_near_one(const T *x, T bound, long count) {                                 \
    _Pragma("clang fp contract(off)") NAME##_lanes found = {0};                                                      \
    long i = 0, total = 0;                                                                                           \
    /* A lane counts to at most 2^30 before it is read. */                                                           \
    while (i + LANES <= count) {                                                                                     \
      long end = count - i > (1L << 30) ? i + (1L << 30) : count;                                                    \
      for (; i + LANES <= end; i += LANES) {                                                                         \
        NAME##_vector v = *(const NAME##_vector *)(x + i);                                                           \
        found -= (NAME##_lanes)(1 - v * v < bound);                                                                  \
      }                                                                                                              \
      for (int r = 0; r < LANES; r++) total += found[r], found[r] = 0;                                               \
    }                                                                                                                \
    for (; i < count; i++) total += 1 - x[i] * x[i] < bound;                                                         \
    return total;                                                                                                    \
  }                                                                                                                  \
  /* y <- y x for each of `rows` rows y, one after another; whether all numbers are finite then. */                 \
  TARGET static inline int NAME##_scale(T *y, long rows, const T *x, long width) {                                   \
    NAME##_vector s[2] = {{0}, {0}};                                                                                 \
    T rest = 0;                                                                                                      \
    for (long r = 0; r < rows; r++, y += width) {                                                                    \
      long i = 0;                                                                                                    \
      for (; i + 2 * LANES <= width; i += 2 * LANES)                                                                 \
        for (int p = 0; p < 2; p++) {                                                                                \
          NAME##_vector *place = (NAME##_vector *)(y + i + p * LANES);                                               \
          NAME##_vector v = *place * *(const NAME##_vector *)(x + i + p * LANES);                                    \
          *place = v;                                                                                                \
          s[p] += v - v;                                                                                             \
        }                                                                                                            \
      for (; i < width; i++) {                                                                                       \
        y[i] *= x[i];                                                                                                \
        rest += y[i] - y[i];                                                                                         \
      }                                                                                                              \
    }                                                                                                                \
    s[0] += s[1];                                                                                                    \
    for (int p = 0; p < LANES; p++) rest += s[0][p];                                                                 \
    return rest == 0;                                                                                                \
  }                                                                                                                  \
  /* y <- the sum of x^2 over `rows` rows x, one after another, or y + that. */                                      \
  TARGET static inline void NAME##_sum_squares(const T *x, long rows, T *y, long width, int adding) {                \
    _Pragma("clang fp contract(off)") long i = 0;                                                                    \
    for (; i + LANES <= width; i += LANES) {                                                                         \
      NAME##_vector sum = {0};                                                                                       \
      if (adding) sum = *(const NAME##_vector *)(y + i);                                                             \
      for (long r = 0; r < rows; r++) {                                                                              \
        NAME##_vector v = *(const NAME##_vector *)(x + r * width + i);                                               \
        sum += v * v;                                                                                                \
      }                                                                                                              \
      *(NAME##_vector *)(y + i) = sum;                                                                               \
    }                                                                                                                \
    for (; i < width; i++) {                                                                                         \
      T sum = adding ? y[i] : 0;                                                                                     \
      for (long r = 0; r < rows; r++) sum += x[r * width + i] * x[r * width + i];                                    \
      y[i] = sum;                                                                                                    \
    }                                                                                                                \
  }

#if defined(__x86_64__)
NNJOBS_ROWS(nnjobs_rows_avx2_f64, double, long long, 4, __attribute__((target("avx2,fma"))))
NNJOBS_ROWS(nnjobs_rows_avx2_f32, float, int, 8, __attribute__((target("avx2,fma"))))
#else
NNJOBS_ROWS(nnjobs_rows_avx2_f64, double, long long, 4, )
NNJOBS_ROWS(nnjobs_rows_avx2_f32, float, int, 8, )
#endif
