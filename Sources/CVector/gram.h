#pragma once
// Gram matrices of packed rows, block by block in registers: what a tangent kernel is made of.
//
// Rows lie in panels as wide as a line of the cache, W = 64 / sizeof(T) of them, number by number: number k of row r of
// a panel is at k * W + r. A block is three panels of rows by one panel of columns, kept column by column: (W, 3 W)
// numbers. Three registers of rows and the sums of as many columns as there are registers for pass over k at once, so
// a number is read for many products, and nothing is packed again, as a library has to do in every call.
//
// Written in clang's vectors, for any processor: the same loops for AVX-512, for AVX2 and for what is always there.
// A sum goes over k in order, so its bits depend on the two rows alone, and are the same if these change places.
#include <stddef.h>

#define NNJOBS_GRAM_UNROLLED _Pragma("clang loop unroll(full)")

// Columns are counted in a tile of `count`; `outputs` of them belong to a sample, and share its row of factors, the
// rows of which are `stride` numbers apart. A column behind the last one takes what the last one takes.
#define NNJOBS_GRAM(NAME, T, LANES, TAKEN, TARGET)                                                                   \
  typedef T NAME##_vector __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T))));                       \
  TARGET static inline void NAME##_places(                                                                           \
    const T *factors, long stride, long outputs, long column, long count, const T **places) {                        \
    long output = column % outputs;                                                                                  \
    factors += column / outputs * stride;                                                                            \
    for (int j = 0; j < (int)(64 / sizeof(T)); j++) {                                                                \
      places[j] = factors;                                                                                           \
      if (++column < count && ++output == outputs) output = 0, factors += stride;                                    \
    }                                                                                                                \
  }                                                                                                                  \
  /* block <- (block +) (rows columns^T) * factors. */                                                               \
  TARGET static inline void NAME(                                                                                    \
    const T *first, const T *second, const T *third, const T *columns, long depth, const T *factors, long stride,    \
    long outputs, long column, long count, int adding, T *block) {                                                   \
    enum { W = 64 / sizeof(T), PARTS = W / LANES };                                                                  \
    const T *panels[3] = {first, second, third}, *places[W];                                                         \
    NAME##_places(factors, stride, outputs, column, count, places);                                                  \
    for (int g = 0; g < PARTS; g++) {                                                                                \
      const T *a = panels[3 * g / PARTS] + 3 * g % PARTS * LANES;                                                    \
      const T *b = panels[(3 * g + 1) / PARTS] + (3 * g + 1) % PARTS * LANES;                                        \
      const T *c = panels[(3 * g + 2) / PARTS] + (3 * g + 2) % PARTS * LANES;                                        \
      for (int start = 0; start < W; start += TAKEN) {                                                               \
        const T *y = columns + start;                                                                                \
        NAME##_vector s[TAKEN][3];                                                                                   \
        NNJOBS_GRAM_UNROLLED                                                                                         \
        for (int j = 0; j < TAKEN; j++) s[j][0] = s[j][1] = s[j][2] = (NAME##_vector){0};                            \
        for (long k = 0; k < depth * W; k += W) {                                                                    \
          NAME##_vector u = *(const NAME##_vector *)(a + k), v = *(const NAME##_vector *)(b + k),                    \
                        w = *(const NAME##_vector *)(c + k);                                                         \
          NNJOBS_GRAM_UNROLLED                                                                                       \
          for (int j = 0; j < TAKEN; j++) {                                                                          \
            s[j][0] += u * y[k + j];                                                                                 \
            s[j][1] += v * y[k + j];                                                                                 \
            s[j][2] += w * y[k + j];                                                                                 \
          }                                                                                                          \
        }                                                                                                            \
        NNJOBS_GRAM_UNROLLED                                                                                         \
        for (int j = 0; j < TAKEN; j++) {                                                                            \
          NNJOBS_GRAM_UNROLLED                                                                                       \
          for (int x = 0; x < 3; x++) {                                                                              \
            int row = (3 * g + x) * LANES;                                                                           \
            NAME##_vector *place = (NAME##_vector *)(block + (start + j) * 3 * W + row);                             \
            NAME##_vector product = s[j][x] * *(const NAME##_vector *)(places[start + j] + row);                     \
            *place = adding ? *place + product : product;                                                            \
          }                                                                                                          \
        }                                                                                                            \
      }                                                                                                              \
    }                                                                                                                \
  }                                                                                                                  \
  /* block <- rows * factors * slopes: a column's rows are those of its output, its slope one number. */             \
  TARGET static inline void NAME##_diagonal(                                                                         \
    const T *rows, const T *slopes, long apart, const T *factors, long stride, long outputs, long column,            \
    long count, T *block) {                                                                                          \
    enum { W = 64 / sizeof(T) };                                                                                     \
    const T *places[W];                                                                                              \
    NAME##_places(factors, stride, outputs, column, count, places);                                                  \
    for (int j = 0; j < W; j++) {                                                                                    \
      long own = column + j < count ? column + j : count - 1;                                                        \
      const T *row = rows + own % outputs * stride;                                                                  \
      T slope = slopes[own * apart];                                                                                 \
      for (int i = 0; i < 3 * W; i += LANES)                                                                         \
        *(NAME##_vector *)(block + j * 3 * W + i) =                                                                  \
          *(const NAME##_vector *)(row + i) * slope * *(const NAME##_vector *)(places[j] + i);                       \
    }                                                                                                                \
  }

#if defined(__x86_64__)
static inline int nnjobs_has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
#define NNJOBS_FOR_AVX512 __attribute__((target("avx512f")))
#define NNJOBS_FOR_AVX2 __attribute__((target("avx2,fma")))
#else
static inline int nnjobs_has_avx512(void) { return 0; }
#define NNJOBS_FOR_AVX512
#define NNJOBS_FOR_AVX2
#endif
NNJOBS_GRAM(nnjobs_gram_avx512_f64, double, 8, 8, NNJOBS_FOR_AVX512)
NNJOBS_GRAM(nnjobs_gram_avx512_f32, float, 16, 8, NNJOBS_FOR_AVX512)
NNJOBS_GRAM(nnjobs_gram_avx2_f64, double, 4, 4, NNJOBS_FOR_AVX2)
NNJOBS_GRAM(nnjobs_gram_avx2_f32, float, 8, 4, NNJOBS_FOR_AVX2)
NNJOBS_GRAM(nnjobs_gram_plain_f64, double, 2, 4, )
NNJOBS_GRAM(nnjobs_gram_plain_f32, float, 4, 4, )

// Four vectors of four numbers, transposed.
#define NNJOBS_TRANSPOSE_FOUR(V, a, b, c, d, turned)                                              \
  do {                                                                                            \
    V low = __builtin_shufflevector(a, b, 0, 4, 2, 6), high = __builtin_shufflevector(a, b, 1, 5, 3, 7);     \
    V lower = __builtin_shufflevector(c, d, 0, 4, 2, 6), higher = __builtin_shufflevector(c, d, 1, 5, 3, 7); \
    (turned)[0] = __builtin_shufflevector(low, lower, 0, 1, 4, 5);                                \
    (turned)[1] = __builtin_shufflevector(high, higher, 0, 1, 4, 5);                              \
    (turned)[2] = __builtin_shufflevector(low, lower, 2, 3, 6, 7);                                \
    (turned)[3] = __builtin_shufflevector(high, higher, 2, 3, 6, 7);                              \
  } while (0)

// Four numbers to `out`, past the caches if that is asked for, which insists on aligned places.
#define NNJOBS_PUT_FOUR(SUFFIX, value, out, past)                                        \
  do {                                                                                   \
    if (past) __builtin_nontemporal_store(value, (nnjobs_aligned_four_##SUFFIX *)(out)); \
    else *(nnjobs_four_##SUFFIX *)(out) = (value);                                       \
  } while (0)

#define NNJOBS_GRAM_MOVES(SUFFIX, T)                                                                                 \
  typedef T nnjobs_four_##SUFFIX __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T))));                    \
  typedef T nnjobs_aligned_four_##SUFFIX __attribute__((vector_size(4 * sizeof(T)), aligned(4 * sizeof(T))));        \
  /* `rows` rows of `depth` numbers, `stride` apart, into a panel from its row `place` on. */                        \
  static inline void nnjobs_gram_pack_##SUFFIX(                                                                      \
    const T *from, long stride, long rows, long depth, T *panel, long place) {                                       \
    enum { W = 64 / sizeof(T) };                                                                                     \
    long i = 0;                                                                                                      \
    for (panel += place; i + 4 <= rows; i += 4, from += 4 * stride, panel += 4) {                                    \
      long k = 0;                                                                                                    \
      for (; k + 4 <= depth; k += 4) {                                                                               \
        nnjobs_four_##SUFFIX turned[4], a = *(const nnjobs_four_##SUFFIX *)(from + k),                               \
          b = *(const nnjobs_four_##SUFFIX *)(from + stride + k),                                                    \
          c = *(const nnjobs_four_##SUFFIX *)(from + 2 * stride + k),                                                \
          d = *(const nnjobs_four_##SUFFIX *)(from + 3 * stride + k);                                                \
        NNJOBS_TRANSPOSE_FOUR(nnjobs_four_##SUFFIX, a, b, c, d, turned);                                             \
        for (int x = 0; x < 4; x++) *(nnjobs_four_##SUFFIX *)(panel + (k + x) * W) = turned[x];                      \
      }                                                                                                              \
      for (; k < depth; k++)                                                                                         \
        for (int x = 0; x < 4; x++) panel[k * W + x] = from[x * stride + k];                                         \
    }                                                                                                                \
    for (; i < rows; i++, from += stride, panel++)                                                                   \
      for (long k = 0; k < depth; k++) panel[k * W] = from[k];                                                       \
  }                                                                                                                  \
  /* The first `rows` by `columns` of a block to `out`, whose rows are `stride` apart. */                            \
  static inline void nnjobs_gram_store_##SUFFIX(                                                                     \
    const T *block, long rows, long columns, T *out, long stride, int past) {                                        \
    enum { W = 64 / sizeof(T), H = 3 * W };                                                                          \
    if (rows < H || columns < W) {                                                                                   \
      for (long i = 0; i < rows; i++)                                                                                \
        for (long j = 0; j < columns; j++) out[i * stride + j] = block[j * H + i];                                   \
      return;                                                                                                        \
    }                                                                                                                \
    past = past && ((size_t)out | (size_t)stride * sizeof(T)) % 64 == 0;                                             \
    for (int i = 0; i < H; i += 4) {                                                                                 \
      nnjobs_four_##SUFFIX turned[W / 4][4];                                                                         \
      NNJOBS_GRAM_UNROLLED                                                                                           \
      for (int j = 0; j < W; j += 4) {                                                                               \
        const T *from = block + j * H + i;                                                                           \
        nnjobs_four_##SUFFIX a = *(const nnjobs_four_##SUFFIX *)from, b = *(const nnjobs_four_##SUFFIX *)(from + H), \
          c = *(const nnjobs_four_##SUFFIX *)(from + 2 * H), d = *(const nnjobs_four_##SUFFIX *)(from + 3 * H);      \
        NNJOBS_TRANSPOSE_FOUR(nnjobs_four_##SUFFIX, a, b, c, d, turned[j / 4]);                                      \
      }                                                                                                              \
      NNJOBS_GRAM_UNROLLED                                                                                           \
      for (int x = 0; x < 4; x++) {                                                                                  \
        NNJOBS_GRAM_UNROLLED                                                                                         \
        for (int j = 0; j < W; j += 4)                                                                               \
          NNJOBS_PUT_FOUR(SUFFIX, turned[j / 4][x], out + (i + x) * stride + j, past);                              \
      }                                                                                                              \
    }                                                                                                                \
  }                                                                                                                  \
  /* The transpose of the first `rows` by `columns` of a block, which is how it lies. */                             \
  static inline void nnjobs_gram_turn_##SUFFIX(                                                                      \
    const T *block, long rows, long columns, T *out, long stride, int past) {                                        \
    enum { W = 64 / sizeof(T), H = 3 * W };                                                                          \
    past = past && rows == H && ((size_t)out | (size_t)stride * sizeof(T)) % 64 == 0;                                \
    for (long j = 0; j < columns; j++) {                                                                             \
      long i = 0;                                                                                                    \
      for (; i + 4 <= rows; i += 4)                                                                                  \
        NNJOBS_PUT_FOUR(SUFFIX, *(const nnjobs_four_##SUFFIX *)(block + j * H + i), out + j * stride + i, past);    \
      for (; i < rows; i++) out[j * stride + i] = block[j * H + i];                                                  \
    }                                                                                                                \
  }
NNJOBS_GRAM_MOVES(f64, double)
NNJOBS_GRAM_MOVES(f32, float)

// Makes what was stored past the caches visible before whatever the caller does next.
static inline void nnjobs_stores_done(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}
