// disk BACKING LOG FOLDER: a file system in user space with one file, `disk`, which is BACKING. Each of its writes, and each
// flush, is appended to LOG: two 64-bit numbers, offset and size, then the bytes; a flush has size 0. With a loop device on
// `disk`, LOG says in which order a real file system's blocks reach their medium, and what was promised to be on it.
// Compiled by T4; no part of the product.
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int backing, record;

static int attributes(const char *path, struct stat *status, struct fuse_file_info *file) {
  (void)file;
  memset(status, 0, sizeof *status);
  if (!strcmp(path, "/")) {
    status->st_mode = S_IFDIR | 0700;
    status->st_nlink = 2;
    return 0;
  }
  if (strcmp(path, "/disk")) return -ENOENT;
  struct stat below;
  if (fstat(backing, &below) != 0) return -errno;
  status->st_mode = S_IFREG | 0600;
  status->st_nlink = 1;
  status->st_size = below.st_size;
  return 0;
}

static int names(const char *path, void *list, fuse_fill_dir_t add, off_t offset, struct fuse_file_info *file,
                 enum fuse_readdir_flags flags) {
  (void)path, (void)offset, (void)file, (void)flags;
  add(list, "disk", NULL, 0, 0);
  return 0;
}

static int open_disk(const char *path, struct fuse_file_info *file) {
  (void)file;
  return strcmp(path, "/disk") ? -ENOENT : 0;
}

static int read_disk(const char *path, char *bytes, size_t size, off_t offset, struct fuse_file_info *file) {
  (void)path, (void)file;
  ssize_t count = pread(backing, bytes, size, offset);
  return count < 0 ? -errno : (int)count;
}

// One system call a record: whoever looks at the length of LOG sees whole ones.
static int note(off_t offset, const char *bytes, size_t size) {
  uint64_t head[2] = {(uint64_t)offset, size};
  struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, size}};
  return writev(record, parts, 2) == (ssize_t)(sizeof head + size) ? 0 : -EIO;
}

static int write_disk(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *file) {
  (void)path, (void)file;
  ssize_t count = pwrite(backing, bytes, size, offset);
  if (count < 0) return -errno;
  return note(offset, bytes, (size_t)count) == 0 ? (int)count : -EIO;
}

static int flush_disk(const char *path, int only_data, struct fuse_file_info *file) {
  (void)path, (void)only_data, (void)file;
  return note(0, NULL, 0);
}

static const struct fuse_operations operations = {
    .getattr = attributes, .readdir = names, .open = open_disk, .read = read_disk, .write = write_disk, .fsync = flush_disk};

int main(int count, char **words) {
  if (count != 4) return 64;
  backing = open(words[1], O_RDWR | O_CLOEXEC);
  record = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (backing < 0 || record < 0) {
    perror("disk");
    return 66;
  }
  // -s: one request after the other, so that LOG's order is the order they were done in.
  char *arguments[] = {words[0], "-f", "-s", words[3], NULL};
  return fuse_main(4, arguments, &operations, NULL);
}
