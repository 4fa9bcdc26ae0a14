// A disk that fails at the n-th call, for a program it is preloaded into.
// In: FAIL_UNDER, a folder; FAIL_AT=N, which call on a file below it fails with "no space left" (writes, flushes,
// renames, new files); FAIL_ONCE: only that one, else all from there on. FAIL_COUNT: a file that is told how many
// calls there were. Knows nothing of fer. See scripts/kill-test.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long n_calls;

static int is_below(const char *path) {
  const char *folder = getenv("FAIL_UNDER");
  return folder && !strncmp(path, folder, strlen(folder));
}

static int fails(void) {
  const char *at = getenv("FAIL_AT");
  long n = atomic_fetch_add(&n_calls, 1) + 1, wanted = at ? atol(at) : 0;
  return wanted && (getenv("FAIL_ONCE") ? n == wanted : n >= wanted);
}

static int file_fails(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return is_below(path) && fails();
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t n) {
  if (file_fails(file)) return errno = ENOSPC, -1;
  return REAL(ssize_t, write, int, const void *, size_t)(file, bytes, n);
}

ssize_t writev(int file, const struct iovec *parts, int n) {
  if (file_fails(file)) return errno = ENOSPC, -1;
  return REAL(ssize_t, writev, int, const struct iovec *, int)(file, parts, n);
}

int fsync(int file) {
  if (file_fails(file)) return errno = ENOSPC, -1;
  return REAL(int, fsync, int)(file);
}

int fdatasync(int file) {
  if (file_fails(file)) return errno = ENOSPC, -1;
  return REAL(int, fdatasync, int)(file);
}

int rename(const char *from, const char *to) {
  if (is_below(to) && fails()) return errno = ENOSPC, -1;
  return REAL(int, rename, const char *, const char *)(from, to);
}

int mkdir(const char *path, mode_t mode) {
  if (is_below(path) && fails()) return errno = ENOSPC, -1;
  return REAL(int, mkdir, const char *, mode_t)(path, mode);
}

#define OPEN(name)                                                     \
  int name(const char *path, int flags, ...) {                         \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    int mode = va_arg(rest, int);                                      \
    va_end(rest);                                                      \
    if (flags & O_CREAT && is_below(path) && fails()) return errno = ENOSPC, -1; \
    return REAL(int, name, const char *, int, int)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

__attribute__((destructor)) static void tell(void) {
  const char *count = getenv("FAIL_COUNT");
  if (!count) return;
  int file = REAL(int, open64, const char *, int, int)(count, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (file >= 0) dprintf(file, "%ld\n", atomic_load(&n_calls)), close(file);
}
