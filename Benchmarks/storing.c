// How fast results can be stored in memory that was touched before, if computing them takes nothing.
//   cc -O3 -march=native -pthread Benchmarks/storing.c -o storing
//   storing MIB THREADS ROUNDS
// Each thread fills its part of MIB MiB of huge pages: row by row a number times a row of 256 that stays in the nearest cache, as an
// outer product is made; by stores through the caches, and by stores past them. Prints a line of JSON: median and best, in bytes a second.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <immintrin.h>

enum { ROW = 256, MOST_ROUNDS = 99, MOST_THREADS = 256 };
static double row[ROW] __attribute__((aligned(64)));

static void through(double *to, size_t rows) {
  for (size_t r = 0; r < rows; r++, to += ROW) {
    __m256d factor = _mm256_set1_pd((double)(r & 1023));
    for (int i = 0; i < ROW; i += 4) _mm256_store_pd(to + i, _mm256_mul_pd(factor, _mm256_load_pd(row + i)));
  }
}

static void past(double *to, size_t rows) {
  for (size_t r = 0; r < rows; r++, to += ROW) {
    __m256d factor = _mm256_set1_pd((double)(r & 1023));
    for (int i = 0; i < ROW; i += 4) _mm256_stream_pd(to + i, _mm256_mul_pd(factor, _mm256_load_pd(row + i)));
  }
  _mm_sfence();
}

struct part {
  void (*store)(double *, size_t);
  double *to;
  size_t rows;
  pthread_barrier_t *barrier;
  int rounds;
};

static void *work(void *given) {
  struct part *part = given;
  for (int round = 0; round < part->rounds; round++) {
    pthread_barrier_wait(part->barrier);
    part->store(part->to, part->rows);
    pthread_barrier_wait(part->barrier);
  }
  return NULL;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void measure(const char *name, void (*store)(double *, size_t), double *to, size_t bytes, int threads, int rounds) {
  struct part parts[MOST_THREADS];
  pthread_t started[MOST_THREADS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, threads + 1);
  size_t rows = bytes / sizeof row / threads;
  for (int t = 0; t < threads; t++) {
    parts[t] = (struct part){store, to + t * rows * ROW, rows, &barrier, rounds};
    pthread_create(&started[t], NULL, work, &parts[t]);
  }
  double seconds[MOST_ROUNDS];
  for (int round = 0; round < rounds; round++) {
    double start = now();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    seconds[round] = now() - start;
  }
  for (int t = 0; t < threads; t++) pthread_join(started[t], NULL);
  qsort(seconds, rounds, sizeof *seconds, ascending);
  double stored = (double)rows * threads * sizeof row;
  printf("\"%s\": %.4g, \"%s_best\": %.4g", name, stored / seconds[rounds / 2], name, stored / seconds[0]);
}

int main(int argc, char **argv) {
  int threads = argc == 4 ? atoi(argv[2]) : 0, rounds = argc == 4 ? atoi(argv[3]) : 0;
  if (threads < 1 || threads > MOST_THREADS || rounds < 1 || rounds > MOST_ROUNDS)
    return fprintf(stderr, "usage: storing MIB THREADS ROUNDS\n"), 64;
  size_t bytes = (size_t)atoll(argv[1]) << 20;
  double *to = aligned_alloc(2 << 20, bytes);
  if (!to) return perror("storing"), 1;
  madvise(to, bytes, MADV_HUGEPAGE);
  memset(to, 1, bytes);
  for (int i = 0; i < ROW; i++) row[i] = i * 0.01;
  printf("{");
  measure("through", through, to, bytes, threads, rounds);
  printf(", ");
  measure("past", past, to, bytes, threads, rounds);
  printf("}\n");
  return 0;
}
