/* The system behind io.h, by POSIX. Signals do not show: what they interrupt is done again. */
#if !defined(_GNU_SOURCE) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io.h"

#if !defined(O_CLOEXEC)
#define O_CLOEXEC 0
#endif
#if !defined(O_DIRECTORY)
#define O_DIRECTORY 0
#endif

enum { MODE_NEW = 0666 /* the process's umask takes what it does not want */, PATH_TEXT = 4096 };

static int32_t posix_open(const char *path, int32_t write) {
  int flags = O_CLOEXEC | (write ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY), fd;
  do fd = open(path, flags, MODE_NEW);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

static int64_t posix_read(int32_t fd, void *bytes, int64_t count) {
  ssize_t done;
  do done = read(fd, bytes, (size_t)count);
  while (done < 0 && errno == EINTR);
  return done < 0 ? -errno : done;
}

static int64_t posix_write(int32_t fd, const void *bytes, int64_t count) {
  ssize_t done;
  do done = write(fd, bytes, (size_t)count);
  while (done < 0 && errno == EINTR);
  return done < 0 ? -errno : done;
}

static int64_t posix_size(int32_t fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && S_ISREG(s.st_mode) ? (int64_t)s.st_size : -1;
}

static int32_t posix_sync(int32_t fd) {
  int done;
#if defined(F_FULLFSYNC)
  if (fcntl(fd, F_FULLFSYNC) != -1) return 0; /* fsync on macOS leaves the bytes in the drive's cache */
#endif
  do done = fsync(fd);
  while (done < 0 && errno == EINTR);
  return done < 0 ? -errno : 0;
}

/* After EINTR the descriptor is gone on Linux, and may belong to another thread's file: never again. */
static int32_t posix_close(int32_t fd) {
  return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

/* Never in place of a device: a save to /dev/null by root would be the end of it for the whole machine. */
static int32_t posix_rename(const char *from, const char *to) {
  struct stat s;
  if (stat(to, &s) == 0 && !S_ISREG(s.st_mode)) return S_ISDIR(s.st_mode) ? -EISDIR : -ENOTSUP;
  return rename(from, to) == 0 ? 0 : -errno;
}

static int32_t posix_remove(const char *path) {
  return unlink(path) == 0 ? 0 : -errno;
}

/* "a/b" -> "a", "/b" -> "/", "b" -> ".". 0 if it does not fit. */
static int32_t folder_of(const char *path, char folder[PATH_TEXT]) {
  const char *slash = strrchr(path, '/');
  size_t length = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);
  if (length >= PATH_TEXT) return 0;
  memcpy(folder, slash ? path : ".", length);
  folder[length] = 0;
  return 1;
}

/* A folder that one may write into but not read, and file systems that do not sync folders, are no reason to fail. */
static int32_t posix_sync_directory(const char *path_of_file) {
  char folder[PATH_TEXT];
  if (!folder_of(path_of_file, folder)) return -ENAMETOOLONG;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno == EACCES || errno == EPERM ? 0 : -errno;
  int32_t problem = posix_sync(fd);
  close(fd);
  return problem == -EINVAL || problem == -ENOTSUP || problem == -EACCES || problem == -EPERM || problem == -EBADF ? 0 : problem;
}

const struct io_system *io_system(void) {
  static const struct io_system posix = {
    posix_open, posix_read, posix_write, posix_size, posix_sync, posix_close, posix_rename, posix_remove, posix_sync_directory,
  };
  return &posix;
}

/* Not strerror: it speaks the host's language, and not every C library's may be called by two threads. */
const char *io_error_text(int64_t problem) {
  switch (problem < 0 ? -problem : problem) {
    case ENOENT: return "no such file or folder";
    case EACCES: case EPERM: return "permission denied";
    case EEXIST: return "it exists already";
    case EISDIR: return "it is a folder";
    case ENOTDIR: return "a part of the path is no folder";
    case ENOSPC: return "the disk is full";
    case EDQUOT: return "the disk quota is used up";
    case EFBIG: return "the file is too large for this file system or user";
    case EROFS: return "the file system is read-only";
    case EIO: return "the device reports an error";
    case EMFILE: case ENFILE: return "too many open files";
    case ENAMETOOLONG: return "the path is too long";
    case ELOOP: return "too many symbolic links";
    case EBADF: return "the file is not open";
    case ENOTSUP: return "it is no regular file";
    case EPIPE: return "nobody reads the other end";
    case ENXIO: case ENODEV: return "no such device";
    case EBUSY: return "it is in use";
    case EXDEV: return "it lies on another file system";
    case ENOMEM: return "the system is out of memory";
    default: return "the system refused";
  }
}
