// Ways to put a result on disk, measured in turn: seconds from the open file to the end of fsync.
//   cc -O2 -pthread Benchmarks/writing.c -luring -o writing
//   writing FOLDER MIB THREADS ROUNDS [VARIANT…]
// One file as the engine writes it: 128 bytes of header, then numbers; each thread takes the next 8 MiB and writes them tile by tile,
// and every tile is filled anew in memory that stays in cache.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif
enum { KIB = 1 << 10, MIB = 1 << 20, HEADER = 128, SECTOR = 4096, SEGMENT = 8 * MIB, DEPTH = 4 };

enum { RESERVED = 1, WAIT = 2, DROP = 4, UNCACHED = 8, DIRECT = 16, URING = 32, REWRITE = 64, SPARSE = 128, COPY = 256 };
static const struct variant {
  const char *name;
  int tile, flags, window, ahead;
} variants[] = {
    {"buffered-256k", 256 * KIB, RESERVED, 0, 0},
    {"buffered", MIB, RESERVED, 0, 0},
    {"unreserved", MIB, 0, 0, 0},
    {"early", MIB, RESERVED, 8 * MIB, 0},
    {"early-wait", MIB, RESERVED | WAIT, 8 * MIB, 8},
    {"drop-256k", 256 * KIB, RESERVED | WAIT | DROP, 8 * MIB, 8},
    {"drop-64m", MIB, RESERVED | WAIT | DROP, 8 * MIB, 8},
    {"drop", MIB, RESERVED | WAIT | DROP, 8 * MIB, 16},  // what nnjobs does
    {"drop-2m-16m", MIB, RESERVED | WAIT | DROP, 2 * MIB, 8},
    {"dontcache-256k", 256 * KIB, RESERVED | UNCACHED, 0, 0},
    {"dontcache", MIB, RESERVED | UNCACHED, 0, 0},
    {"direct-256k", 256 * KIB, RESERVED | DIRECT, 0, 0},
    {"direct", MIB, RESERVED | DIRECT, 0, 0},
    {"direct-4m", 4 * MIB, RESERVED | DIRECT, 0, 0},
    {"direct-copied", MIB, RESERVED | DIRECT | COPY, 0, 0},
    {"direct-sparse", MIB, DIRECT | SPARSE, 0, 0},
    {"uring-256k", 256 * KIB, RESERVED | URING, 0, 0},
    {"uring", MIB, RESERVED | URING, 0, 0},
    {"rewriting", MIB, RESERVED | DIRECT | REWRITE, 0, 0},  // over blocks written before: no extent changes
};

static const struct variant *variant;
static char path[4096];
static int64_t size;
static int buffered, direct;
static atomic_long next_segment, next_window;
static long segments;

static void fail(const char *what) {
  fprintf(stderr, "writing: cannot %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

// Numbers that tell where they belong, so that a read shows every tile in its place.
static void fill(uint64_t *tile, int64_t offset, int64_t bytes) {
  for (int64_t i = 0; i < bytes / 8; i++) tile[i] = (offset / 8 + i) * 0x9E3779B97F4A7C15u;
}

static void put(int fd, const char *bytes, int64_t count, int64_t offset, int flags) {
  struct iovec piece = {(void *)bytes, count};
  while (piece.iov_len > 0) {
    ssize_t written = flags ? pwritev2(fd, &piece, 1, offset, flags) : pwrite(fd, piece.iov_base, piece.iov_len, offset);
    if (written < 0) fail("write");
    piece.iov_base = (char *)piece.iov_base + written;
    piece.iov_len -= written;
    offset += written;
  }
}

// Waits for any write of the ring and tells whose tile is free again: they complete in any order.
static int reap(struct io_uring *ring, int expected) {
  struct io_uring_cqe *entry;
  if (io_uring_wait_cqe(ring, &entry) < 0 || entry->res != expected) {
    errno = entry->res < 0 ? -entry->res : EIO;
    fail("write");
  }
  int tile = entry->user_data;
  io_uring_cqe_seen(ring, entry);
  return tile;
}

// Starts to write back a window of the file; the window begun `ahead` windows ago is waited for, and dropped from the page cache.
static void write_back(long window) {
  static atomic_long begun[1 << 16];
  int64_t length = variant->window;
  if (sync_file_range(buffered, window * length, length, SYNC_FILE_RANGE_WRITE)) fail("write back");
  long turn = atomic_fetch_add(&next_window, 1);
  atomic_store(&begun[turn % (1 << 16)], window);
  if (!(variant->flags & WAIT) || turn < variant->ahead) return;
  int64_t old = atomic_load(&begun[(turn - variant->ahead) % (1 << 16)]) * length;
  if (sync_file_range(buffered, old, length, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)) fail("write back");
  if (variant->flags & DROP) posix_fadvise(buffered, old, length, POSIX_FADV_DONTNEED);
}

static void *work(void *unused) {
  int tile = variant->tile, flags = variant->flags, count = flags & URING ? DEPTH : 1;
  char *tiles, *cached;
  if (posix_memalign((void **)&tiles, SECTOR, (size_t)tile * count)) fail("allocate for");
  if (posix_memalign((void **)&cached, SECTOR, 256 * KIB)) fail("allocate for");
  memset(tiles, 1, (size_t)tile * count);
  struct io_uring ring;
  if (flags & URING && io_uring_queue_init(DEPTH, &ring, 0) < 0) fail("make a ring for");
  int idle[DEPTH] = {0, 1, 2, 3}, idle_count = count;
  for (long s; (s = atomic_fetch_add(&next_segment, 1)) < segments;) {
    // Buffered tiles lie where the numbers lie; direct ones on sectors.
    int64_t start = s * SEGMENT + (flags & (DIRECT | URING) ? 0 : HEADER), end = start + SEGMENT < size ? start + SEGMENT : size;
    for (int64_t at = start; at < end; at += tile) {
      int64_t bytes = at + tile < end ? tile : end - at;
      if (idle_count == 0) idle[idle_count++] = reap(&ring, tile);
      int number = idle[idle_count - 1];
      char *mine = tiles + (size_t)number * tile;
      if (flags & COPY) {
        for (int64_t part = 0; part < bytes; part += 256 * KIB) {
          int64_t length = part + 256 * KIB < bytes ? 256 * KIB : bytes - part;
          fill((uint64_t *)cached, at + part, length);
          memcpy(mine + part, cached, length);
        }
      } else {
        fill((uint64_t *)mine, at, bytes);
      }
      int64_t whole = flags & (DIRECT | URING) ? bytes / SECTOR * SECTOR : 0;
      if (flags & URING && bytes == tile) {
        struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
        io_uring_prep_write(entry, direct, mine, tile, at);
        entry->user_data = number;
        io_uring_submit(&ring);
        idle_count--;
        continue;
      }
      if (whole > 0) put(direct, mine, whole, at, 0);
      if (whole < bytes) put(buffered, mine + whole, bytes - whole, at + whole, flags & UNCACHED ? RWF_DONTCACHE : 0);
      if (variant->window && ((at + bytes - start) % variant->window == 0 || at + bytes == size))
        write_back(at / variant->window);
    }
  }
  for (; idle_count < count; idle_count++) reap(&ring, tile);
  if (flags & URING) io_uring_queue_exit(&ring);
  free(tiles);
  free(cached);
  return unused;
}

static void write_all(int threads) {
  pthread_t thread[64];
  atomic_store(&next_segment, 0);
  atomic_store(&next_window, 0);
  for (int i = 1; i < threads; i++) pthread_create(&thread[i], NULL, work, NULL);
  work(NULL);
  for (int i = 1; i < threads; i++) pthread_join(thread[i], NULL);
}

static double reserving, syncing;

static double measure(int threads) {
  bool is_direct = variant->flags & (DIRECT | URING);
  buffered = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  direct = is_direct ? open(path, O_WRONLY | O_DIRECT) : -1;
  if (buffered < 0 || (is_direct && direct < 0)) fail("open");
  if (variant->flags & REWRITE) {
    if ((errno = posix_fallocate(buffered, 0, size))) fail("reserve");
    write_all(threads);
    fsync(buffered);
  }
  double start = now();
  if (variant->flags & RESERVED && (errno = posix_fallocate(buffered, 0, size))) fail("reserve");
  if (variant->flags & SPARSE && ftruncate(buffered, size)) fail("extend");
  double reserved = now();
  if (!is_direct) {
    uint64_t header[HEADER / 8];
    fill(header, 0, HEADER);
    put(buffered, (char *)header, HEADER, 0, 0);
  }
  write_all(threads);
  double written = now();
  if (fsync(buffered)) fail("fsync");
  double end = now();
  reserving = reserved - start;
  syncing = end - written;
  close(buffered);
  if (direct >= 0) close(direct);
  return end - start;
}

static void verify(void) {
  static uint64_t expected[MIB / 8], found[MIB / 8];
  int fd = open(path, O_RDONLY);
  for (int64_t at = 0; at < size; at += MIB) {
    int64_t bytes = at + MIB < size ? MIB : size - at;
    fill(expected, at, bytes);
    if (pread(fd, found, bytes, at) != bytes || memcmp(expected, found, bytes)) {
      fprintf(stderr, "writing: %s left wrong bytes in the MiB at %ld\n", variant->name, (long)at);
      exit(1);
    }
  }
  close(fd);
}

static int ascending(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "usage: writing FOLDER MIB THREADS ROUNDS [VARIANT…]\n"), 64;
  snprintf(path, sizeof path, "%s/.writing-%d", argv[1], getpid());
  size = atoll(argv[2]) * MIB + HEADER;
  segments = (size + SEGMENT - 1) / SEGMENT;
  int threads = atoi(argv[3]), rounds = atoi(argv[4]), count = sizeof variants / sizeof variants[0];
  double seconds[32][64], reserve[32][64], sync_[32][64];
  for (int round = 0; round < rounds; round++)
    for (int v = 0; v < count; v++) {
      bool wanted = argc == 5;
      for (int a = 5; a < argc; a++) wanted |= !strcmp(argv[a], variants[v].name);
      seconds[v][round] = -1;
      if (!wanted) continue;
      variant = &variants[v];
      seconds[v][round] = measure(threads);
      reserve[v][round] = reserving;
      sync_[v][round] = syncing;
      if (round == 0 && size < 2ll << 30) verify();
      unlink(path);
      // The next one starts with nothing left to do: journal committed, discards done.
      int folder = open(argv[1], O_RDONLY);
      syncfs(folder);
      close(folder);
      fprintf(stderr, "%d %s %.4f\n", round, variant->name, seconds[v][round]);
      usleep(size > 1 << 28 ? 300000 : 20000);
    }
  printf("%-20s %9s %8s %9s %9s  %s MiB, %d threads, %s, medians of %d\n", "variant", "seconds", "GB/s", "reserve", "fsync", argv[2], threads,
         argv[1], rounds);
  for (int v = 0; v < count; v++) {
    if (seconds[v][0] < 0) continue;
    qsort(seconds[v], rounds, sizeof(double), ascending);
    qsort(reserve[v], rounds, sizeof(double), ascending);
    qsort(sync_[v], rounds, sizeof(double), ascending);
    printf("%-20s %9.4f %8.2f %9.4f %9.4f  %.4f..%.4f\n", variants[v].name, seconds[v][rounds / 2], size / seconds[v][rounds / 2] / 1e9,
           reserve[v][rounds / 2], sync_[v][rounds / 2], seconds[v][0], seconds[v][rounds - 1]);
  }
  return 0;
}
