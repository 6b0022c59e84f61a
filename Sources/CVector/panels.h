#pragma once
// Products of matrices that are too small for a library's: what it packs and decides for each costs as much as the
// operations. The left factor stands in panels of eight rows, a column of a panel (eight numbers) after the other;
// nothing else is packed. A product is a sum of two, so that what both give is stored once.
//
// Each entry is added up in the order of depth, of the first product and then of the second, by one chain of fused
// multiplications and additions: its bits depend on nothing but its row, its column and the depths of its panel.
//
// Whoever calls these asks nnjobs_panel_level first: 0 none may be called, 1 AVX2, 2 AVX-512.
#include <stddef.h>
#include <string.h>
#define NNJOBS_PANEL_ROWS 8
#if defined(__x86_64__)
#include <immintrin.h>

static inline int nnjobs_panel_level(void) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
  return __builtin_cpu_supports("avx512f") ? 2 : 1;
}

// prefetchw asks for a line to be stored to; a processor with AVX2 that does not know it passes over it.
#define NNJOBS_PANEL_UNROLLED _Pragma("clang loop unroll(full)")
#define NNJOBS_PANEL_AVX2 __attribute__((target("avx2,fma,prfchw"))) static inline
#define NNJOBS_PANEL_AVX512 __attribute__((target("avx512f,avx2,fma,prfchw"))) static inline

// C (rows, width) <- A0 B0 + A1 B1, or C + that; panel p of a factor A begins `panel` numbers after panel p - 1 and has
// depths[p] columns; rows of B and of C are `stride` apart.
//
// ROWS rows of a panel by up to three registers of columns stay in registers while all of depth passes; so much of B
// as that needs stays in the nearest cache for all panels. What will be stored is fetched meanwhile, row by row over all of
// depth, for few lines can be on their way at once: where C is a result that no cache has, stores would wait otherwise.
#define NNJOBS_PANELS(NAME, ATTRIBUTES, T, V, LANES, ROWS, M, MASK, ZERO, LOAD, STORE, MASKLOAD, MASKSTORE, BROADCAST, \
                      FMA, ADD)                                                                                        \
  __attribute__((always_inline)) ATTRIBUTES void NAME##_sum(                                                           \
    const T *a, long depth, const T *b, long stride, V (*s)[3], const int registers, M mask, const T *wanted,          \
    long apart, long count) {                                                                                          \
    long every = depth > 2 * ROWS ? depth / ROWS : 1, next = 0;                                                        \
    for (long k = 0; k < depth; k++, a += NNJOBS_PANEL_ROWS, b += stride) {                                            \
      if (k == next && count > 0) {                                                                                    \
        NNJOBS_PANEL_UNROLLED                                                                                          \
        for (int i = 0; i <= (registers * LANES * (int)sizeof(T) + 63) / 64; i++)                                      \
          __builtin_prefetch(wanted + i * 64 / (int)sizeof(T), 1);                                                     \
        wanted += apart, next += every, count--;                                                                       \
      }                                                                                                                \
      V w[3];                                                                                                          \
      NNJOBS_PANEL_UNROLLED                                                                                            \
      for (int v = 0; v < registers; v++)                                                                              \
        w[v] = v + 1 < registers ? LOAD(b + v * LANES) : MASKLOAD(b + v * LANES, mask);                                \
      NNJOBS_PANEL_UNROLLED                                                                                            \
      for (int r = 0; r < ROWS; r++) {                                                                                 \
        V x = BROADCAST(a + r);                                                                                        \
        NNJOBS_PANEL_UNROLLED                                                                                          \
        for (int v = 0; v < registers; v++) s[r][v] = FMA(x, w[v], s[r][v]);                                           \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  __attribute__((always_inline)) ATTRIBUTES void NAME##_block(                                                         \
    const T *a0, long depth0, const T *b0, long stride0, const T *a1, long depth1, const T *b1, long stride1, T *c,    \
    long stride, long rows, const int registers, M mask, int adding) {                                                 \
    V s[ROWS][3];                                                                                                      \
    NNJOBS_PANEL_UNROLLED                                                                                              \
    for (int r = 0; r < ROWS; r++) {                                                                                   \
      NNJOBS_PANEL_UNROLLED                                                                                            \
      for (int v = 0; v < registers; v++) s[r][v] = ZERO();                                                            \
    }                                                                                                                  \
    NAME##_sum(a0, depth0, b0, stride0, s, registers, mask, c, stride, ROWS);                                          \
    NAME##_sum(a1, depth1, b1, stride1, s, registers, mask, c, stride, depth0 < ROWS ? ROWS : 0);                      \
    NNJOBS_PANEL_UNROLLED                                                                                              \
    for (int r = 0; r < ROWS; r++) {                                                                                   \
      if (r >= rows) return;                                                                                           \
      NNJOBS_PANEL_UNROLLED                                                                                            \
      for (int v = 0; v < registers; v++) {                                                                            \
        T *place = c + r * stride + v * LANES;                                                                         \
        if (v + 1 < registers) STORE(place, adding ? ADD(LOAD(place), s[r][v]) : s[r][v]);                             \
        else MASKSTORE(place, mask, adding ? ADD(MASKLOAD(place, mask), s[r][v]) : s[r][v]);                           \
      }                                                                                                                \
    }                                                                                                                  \
  }                                                                                                                    \
  ATTRIBUTES void NAME(                                                                                                \
    long rows, const T *a0, long panel0, const long *depths0, const T *b0, long stride0, const T *a1, long panel1,     \
    const long *depths1, const T *b1, long stride1, T *c, long stride, long width, int adding) {                       \
    for (long column = 0; column < width;) {                                                                           \
      long left = (width - column + LANES - 1) / LANES;                                                                \
      /* Two and two rather than three and one, which would wait for its loads. */                                     \
      int registers = left == 4 || left == 2 ? 2 : left == 1 ? 1 : 3;                                                  \
      long lanes = width - column - (registers - 1) * LANES;                                                           \
      M mask = MASK(lanes < LANES ? lanes : LANES);                                                                    \
      for (long row = 0; row < rows; row += ROWS) {                                                                    \
        long p = row / NNJOBS_PANEL_ROWS, first = row % NNJOBS_PANEL_ROWS;                                             \
        const T *l0 = a0 + p * panel0 + first, *l1 = a1 + p * panel1 + first;                                          \
        const T *r0 = b0 + column, *r1 = b1 + column;                                                                  \
        T *place = c + row * stride + column;                                                                          \
        long d0 = depths0[p], d1 = depths1[p];                                                                         \
        if (registers == 3)                                                                                            \
          NAME##_block(l0, d0, r0, stride0, l1, d1, r1, stride1, place, stride, rows - row, 3, mask, adding);          \
        else if (registers == 2)                                                                                       \
          NAME##_block(l0, d0, r0, stride0, l1, d1, r1, stride1, place, stride, rows - row, 2, mask, adding);          \
        else                                                                                                           \
          NAME##_block(l0, d0, r0, stride0, l1, d1, r1, stride1, place, stride, rows - row, 1, mask, adding);          \
      }                                                                                                                \
      column += registers * LANES;                                                                                     \
    }                                                                                                                  \
  }

#define NNJOBS_LANES_512D(count) ((__mmask8)((1u << (count)) - 1))
#define NNJOBS_LANES_512(count) ((__mmask16)((1u << (count)) - 1))
#define NNJOBS_MASKLOAD_512D(place, mask) _mm512_maskz_loadu_pd(mask, place)
#define NNJOBS_MASKLOAD_512(place, mask) _mm512_maskz_loadu_ps(mask, place)
#define NNJOBS_BROADCAST_512D(place) _mm512_set1_pd(*(place))
#define NNJOBS_BROADCAST_512(place) _mm512_set1_ps(*(place))
#define NNJOBS_LANES_256D(count) _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))
#define NNJOBS_LANES_256(count) \
  _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))

NNJOBS_PANELS(
  nnjobs_panels_avx512_f64, NNJOBS_PANEL_AVX512, double, __m512d, 8, 8, __mmask8, NNJOBS_LANES_512D, _mm512_setzero_pd,
  _mm512_loadu_pd, _mm512_storeu_pd, NNJOBS_MASKLOAD_512D, _mm512_mask_storeu_pd, NNJOBS_BROADCAST_512D,
  _mm512_fmadd_pd, _mm512_add_pd)
NNJOBS_PANELS(
  nnjobs_panels_avx512_f32, NNJOBS_PANEL_AVX512, float, __m512, 16, 8, __mmask16, NNJOBS_LANES_512, _mm512_setzero_ps,
  _mm512_loadu_ps, _mm512_storeu_ps, NNJOBS_MASKLOAD_512, _mm512_mask_storeu_ps, NNJOBS_BROADCAST_512, _mm512_fmadd_ps,
  _mm512_add_ps)
NNJOBS_PANELS(
  nnjobs_panels_avx2_f64, NNJOBS_PANEL_AVX2, double, __m256d, 4, 4, __m256i, NNJOBS_LANES_256D, _mm256_setzero_pd,
  _mm256_loadu_pd, _mm256_storeu_pd, _mm256_maskload_pd, _mm256_maskstore_pd, _mm256_broadcast_sd, _mm256_fmadd_pd,
  _mm256_add_pd)
NNJOBS_PANELS(
  nnjobs_panels_avx2_f32, NNJOBS_PANEL_AVX2, float, __m256, 8, 4, __m256i, NNJOBS_LANES_256, _mm256_setzero_ps,
  _mm256_loadu_ps, _mm256_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_broadcast_ss, _mm256_fmadd_ps,
  _mm256_add_ps)

// Four rows of four numbers become four columns.
NNJOBS_PANEL_AVX2 void nnjobs_transpose_f64(__m256d *x) {
  __m256d ab0 = _mm256_unpacklo_pd(x[0], x[1]), ab1 = _mm256_unpackhi_pd(x[0], x[1]);
  __m256d cd0 = _mm256_unpacklo_pd(x[2], x[3]), cd1 = _mm256_unpackhi_pd(x[2], x[3]);
  x[0] = _mm256_permute2f128_pd(ab0, cd0, 0x20);
  x[1] = _mm256_permute2f128_pd(ab1, cd1, 0x20);
  x[2] = _mm256_permute2f128_pd(ab0, cd0, 0x31);
  x[3] = _mm256_permute2f128_pd(ab1, cd1, 0x31);
}
NNJOBS_PANEL_AVX2 void nnjobs_transpose_f32(__m128 *x) { _MM_TRANSPOSE4_PS(x[0], x[1], x[2], x[3]); }

// A panel of eight rows x, `stride` apart, each times `slopes` if they are given: column k goes to packed + 8 k and, where
// they are given, to kept + k * apart and to what is added up at sums + 8 k. What stands before each place of `kept` is
// the next to be stored, and fetched meanwhile.
#define NNJOBS_SPREAD_COLUMN(NAME, T)                                                                       \
  NNJOBS_PANEL_AVX2 void NAME##_column(                                                                     \
    const T *x, long stride, long k, const T *slopes, T *packed, T *kept, long apart, T *sums) {            \
    for (long r = 0; r < NNJOBS_PANEL_ROWS; r++) {                                                          \
      T v = slopes ? x[r * stride + k] * slopes[k] : x[r * stride + k];                                     \
      packed[k * NNJOBS_PANEL_ROWS + r] = v;                                                                \
      if (kept) kept[k * apart + r] = v;                                                                    \
      if (sums) sums[k * NNJOBS_PANEL_ROWS + r] += v;                                                       \
    }                                                                                                       \
  }
#define NNJOBS_SPREAD(NAME, T, V, LOAD, STORE, ADD, MULTIPLY, TRANSPOSE)                                    \
  NNJOBS_SPREAD_COLUMN(NAME, T)                                                                             \
  NNJOBS_PANEL_AVX2 void NAME(                                                                              \
    const T *x, long stride, long columns, const T *slopes, T *packed, T *kept, long apart, T *sums) {      \
    long k = 0;                                                                                             \
    for (; k + 4 <= columns; k += 4) {                                                                      \
      NNJOBS_PANEL_UNROLLED                                                                                 \
      for (int r = 0; r < NNJOBS_PANEL_ROWS; r += 4) {                                                      \
        V v[4];                                                                                             \
        NNJOBS_PANEL_UNROLLED                                                                               \
        for (int i = 0; i < 4; i++) {                                                                       \
          v[i] = LOAD(x + (r + i) * stride + k);                                                            \
          if (slopes) v[i] = MULTIPLY(v[i], LOAD(slopes + k));                                              \
        }                                                                                                   \
        TRANSPOSE(v);                                                                                       \
        NNJOBS_PANEL_UNROLLED                                                                               \
        for (int i = 0; i < 4; i++) {                                                                       \
          long place = (k + i) * NNJOBS_PANEL_ROWS + r;                                                     \
          STORE(packed + place, v[i]);                                                                      \
          if (sums) STORE(sums + place, ADD(LOAD(sums + place), v[i]));                                     \
          if (!kept) continue;                                                                              \
          STORE(kept + (k + i) * apart + r, v[i]);                                                          \
          if (r == 0) __builtin_prefetch(kept + (k + i) * apart - NNJOBS_PANEL_ROWS, 1);                    \
        }                                                                                                   \
      }                                                                                                     \
    }                                                                                                       \
    for (; k < columns; k++) NAME##_column(x, stride, k, slopes, packed, kept, apart, sums);                \
  }
NNJOBS_SPREAD(
  nnjobs_spread_panel_avx2_f64, double, __m256d, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_add_pd, _mm256_mul_pd,
  nnjobs_transpose_f64)
NNJOBS_SPREAD(
  nnjobs_spread_panel_avx2_f32, float, __m128, _mm_loadu_ps, _mm_storeu_ps, _mm_add_ps, _mm_mul_ps,
  nnjobs_transpose_f32)

// The same by whole columns.
NNJOBS_PANEL_AVX512 void nnjobs_spread_panel_avx512_f64(
  const double *x, long stride, long columns, const double *slopes, double *packed, double *kept, long apart,
  double *sums) {
  long k = 0;
  for (; k + 8 <= columns; k += 8) {
    __m512d rows[8], pairs[8];
    NNJOBS_PANEL_UNROLLED
    for (int r = 0; r < 8; r++) {
      rows[r] = _mm512_loadu_pd(x + r * stride + k);
      if (slopes) rows[r] = _mm512_mul_pd(rows[r], _mm512_loadu_pd(slopes + k));
    }
    // Of two rows the even columns, then the odd ones.
    NNJOBS_PANEL_UNROLLED
    for (int r = 0; r < 8; r += 2) {
      pairs[r] = _mm512_unpacklo_pd(rows[r], rows[r + 1]);
      pairs[r + 1] = _mm512_unpackhi_pd(rows[r], rows[r + 1]);
    }
    NNJOBS_PANEL_UNROLLED
    for (int odd = 0; odd < 2; odd++) {
      // Of four rows columns 0 and 4, then 2 and 6.
      __m512d upper0 = _mm512_shuffle_f64x2(pairs[odd], pairs[2 + odd], 0x88);
      __m512d upper2 = _mm512_shuffle_f64x2(pairs[odd], pairs[2 + odd], 0xdd);
      __m512d lower0 = _mm512_shuffle_f64x2(pairs[4 + odd], pairs[6 + odd], 0x88);
      __m512d lower2 = _mm512_shuffle_f64x2(pairs[4 + odd], pairs[6 + odd], 0xdd);
      __m512d whole[4] = {
        _mm512_shuffle_f64x2(upper0, lower0, 0x88), _mm512_shuffle_f64x2(upper2, lower2, 0x88),
        _mm512_shuffle_f64x2(upper0, lower0, 0xdd), _mm512_shuffle_f64x2(upper2, lower2, 0xdd)};
      NNJOBS_PANEL_UNROLLED
      for (int i = 0; i < 4; i++) {
        long column = k + 2 * i + odd;
        _mm512_storeu_pd(packed + column * 8, whole[i]);
        if (sums)
          _mm512_storeu_pd(sums + column * 8, _mm512_add_pd(_mm512_loadu_pd(sums + column * 8), whole[i]));
        if (!kept) continue;
        _mm512_storeu_pd(kept + column * apart, whole[i]);
        __builtin_prefetch(kept + column * apart - 8, 1);
      }
    }
  }
  for (; k < columns; k++)
    nnjobs_spread_panel_avx2_f64_column(x, stride, k, slopes, packed, kept, apart, sums);
}

// y <- y + the sum of `rows` rows of x, `stride` apart, each entry in the order of rows. Two rows on is fetched meanwhile.
#define NNJOBS_SUM_ROWS(NAME, T, V, LANES, LOAD, STORE, ADD)                                \
  NNJOBS_PANEL_AVX2 void NAME(const T *x, long stride, long rows, T *y, long width) {       \
    long i = 0;                                                                             \
    for (; i + 8 * LANES <= width; i += 8 * LANES) {                                        \
      V s[8];                                                                               \
      NNJOBS_PANEL_UNROLLED                                                                 \
      for (int v = 0; v < 8; v++) s[v] = LOAD(y + i + v * LANES);                           \
      for (long m = 0; m < rows; m++) {                                                     \
        const T *row = x + m * stride + i;                                                  \
        NNJOBS_PANEL_UNROLLED                                                               \
        for (int v = 0; v < 8; v += 2) __builtin_prefetch(row + 2 * stride + v * LANES);    \
        NNJOBS_PANEL_UNROLLED                                                               \
        for (int v = 0; v < 8; v++) s[v] = ADD(s[v], LOAD(row + v * LANES));                \
      }                                                                                     \
      NNJOBS_PANEL_UNROLLED                                                                 \
      for (int v = 0; v < 8; v++) STORE(y + i + v * LANES, s[v]);                           \
    }                                                                                       \
    for (; i < width; i++)                                                                  \
      for (long m = 0; m < rows; m++) y[i] += x[m * stride + i];                            \
  }
NNJOBS_SUM_ROWS(nnjobs_sum_rows_f64, double, __m256d, 4, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_add_pd)
NNJOBS_SUM_ROWS(nnjobs_sum_rows_f32, float, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps)

// Copies past the caches: whole lines at aligned places so, what is before and after them as usual. A fence must follow
// before others may read it.
NNJOBS_PANEL_AVX2 void nnjobs_copy_past_caches(const void *from, void *to, size_t count) {
  const char *x = (const char *)from;
  char *y = (char *)to;
  size_t head = -(size_t)y & 63;
  if (head > count) head = count;
  memcpy(y, x, head);
  size_t i = head;
  for (; i + 64 <= count; i += 64) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(x + i)), b = _mm256_loadu_si256((const __m256i *)(x + i + 32));
    _mm256_stream_si256((__m256i *)(y + i), a);
    _mm256_stream_si256((__m256i *)(y + i + 32), b);
  }
  memcpy(y + i, x + i, count - i);
}
static inline void nnjobs_store_fence(void) { _mm_sfence(); }

#else
// Other processors take the plain loops.
static inline int nnjobs_panel_level(void) { return 0; }
#define NNJOBS_PANELS(NAME, T)                                                                                       \
  static inline void NAME(                                                                                           \
    long rows, const T *a0, long panel0, const long *depths0, const T *b0, long stride0, const T *a1, long panel1,   \
    const long *depths1, const T *b1, long stride1, T *c, long stride, long width, int adding) {}
NNJOBS_PANELS(nnjobs_panels_avx512_f64, double)
NNJOBS_PANELS(nnjobs_panels_avx512_f32, float)
NNJOBS_PANELS(nnjobs_panels_avx2_f64, double)
NNJOBS_PANELS(nnjobs_panels_avx2_f32, float)
#define NNJOBS_SPREAD(NAME, T)                                                                              \
  static inline void NAME(                                                                                  \
    const T *x, long stride, long columns, const T *slopes, T *packed, T *kept, long apart, T *sums) {}
NNJOBS_SPREAD(nnjobs_spread_panel_avx512_f64, double)
NNJOBS_SPREAD(nnjobs_spread_panel_avx2_f64, double)
NNJOBS_SPREAD(nnjobs_spread_panel_avx2_f32, float)
static inline void nnjobs_sum_rows_f64(const double *x, long stride, long rows, double *y, long width) {}
static inline void nnjobs_sum_rows_f32(const float *x, long stride, long rows, float *y, long width) {}
static inline void nnjobs_copy_past_caches(const void *from, void *to, size_t count) { memcpy(to, from, count); }
static inline void nnjobs_store_fence(void) {}
#endif
