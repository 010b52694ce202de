#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "say.h"

/* ------------------------------------------------------------------------------------------------------------- reading */

static uint8_t *grow(uint8_t *bytes, size_t *capacity) {
  size_t wanted = *capacity ? *capacity * 2 : (size_t)1 << 16;
  uint8_t *larger = realloc(bytes, wanted + 1);
  if (!larger) {
    free(bytes);
    complain_memory();
    return NULL;
  }
  *capacity = wanted;
  return larger;
}

static uint8_t *read_all(gzFile file, const char *path, size_t limit, size_t *size) {
  uint8_t *bytes = NULL;
  size_t capacity = 0, used = 0;
  for (;;) {
    if (used == capacity && !(bytes = grow(bytes, &capacity))) return NULL;
    size_t room = capacity - used < (size_t)1 << 30 ? capacity - used : (size_t)1 << 30;
    int got = gzread(file, bytes + used, (unsigned)room);
    int problem = 0;
    const char *reason = got < 0 ? gzerror(file, &problem) : NULL;
    if (got < 0 || (used += (size_t)got) > limit) {
      complain(got < 0 ? "%s cannot be read: %s" : "%s is larger than this program takes", path, reason);
      free(bytes);
      return NULL;
    }
    if (got == 0) break;
  }
  bytes[used] = 0;
  *size = used;
  return bytes;
}

uint8_t *file_read(const char *path, size_t limit, size_t *size) {
  if (folder_exists(path)) return complain("%s is a folder, not a file", path), NULL;
  gzFile file = gzopen(path, "rb");
  if (!file) return complain("%s cannot be opened: %s", path, strerror(errno)), NULL;
  gzbuffer(file, 1 << 17);
  uint8_t *bytes = read_all(file, path, limit, size);
  int closed = gzclose(file);
  if (bytes && closed == Z_BUF_ERROR) {
    free(bytes);
    return complain("%s ends in the middle of its gzip data", path), NULL;
  }
  return bytes;
}

/* ------------------------------------------------------------------------------------------------------------- writing */

static int write_and_sync(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  int done = fwrite(bytes, 1, size, file) == size && fflush(file) == 0 && fsync(fileno(file)) == 0;
  int reason = errno;
  if (fclose(file) != 0 && done) return 0;
  errno = reason;
  return done;
}

int file_write(const char *path, const void *bytes, size_t size) {
  size_t length = strlen(path);
  char *temporary = malloc(length + 5);
  if (!temporary) return complain_memory();
  memcpy(temporary, path, length);
  memcpy(temporary + length, ".tmp", 5);
  int done = write_and_sync(temporary, bytes, size) && rename(temporary, path) == 0;
  if (!done) {
    complain("%s cannot be written: %s", path, strerror(errno));
    remove(temporary);
  }
  free(temporary);
  return done;
}

/* ------------------------------------------------------------------------------------------------------------- folders */

int file_exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

int folder_exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int make_one(const char *path) {
  if (mkdir(path, 0777) == 0 || folder_exists(path)) return 1;
  if (errno == EEXIST) return complain("%s is a file, not a folder", path);
  return complain("the folder %s cannot be made: %s", path, strerror(errno));
}

int folder_make(const char *path) {
  char *part = strdup(path);
  if (!part) return complain_memory();
  int made = 1;
  for (char *p = part + 1; made && *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    made = make_one(part);
    *p = '/';
  }
  made = made && make_one(path);
  free(part);
  return made;
}

char *path_join(const char *folder, const char *name) {
  size_t size = strlen(folder) + strlen(name) + 2;
  char *path = malloc(size);
  if (!path) return complain_memory(), NULL;
  snprintf(path, size, "%s/%s", folder, name);
  return path;
}

static int ends_in(const char *name, const char *const *suffixes) {
  size_t n = strlen(name);
  for (; *suffixes; suffixes++) {
    size_t m = strlen(*suffixes);
    if (name[0] != '.' && n > m && strcasecmp(name + n - m, *suffixes) == 0) return 1;
  }
  return 0;
}

static int complain_none(const char *folder, const char *const *suffixes) {
  char text[200] = "";
  for (size_t used = 0; *suffixes && used < sizeof text; suffixes++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " or " : "", *suffixes);
  }
  return complain("there is no file that ends in %s in %s", text, folder);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **append(char **paths, size_t count, char *path) {
  if (!path) return folder_list_free(paths, count), NULL;
  char **more = count & (count - 1) ? paths : realloc(paths, (count ? 2 * count : 1) * sizeof *paths);
  if (!more) {
    free(path);
    folder_list_free(paths, count);
    return complain_memory(), NULL;
  }
  more[count] = path;
  return more;
}

char **folder_list(const char *folder, const char *const *suffixes, size_t *count) {
  DIR *handle = opendir(folder);
  if (!handle) return complain("the folder %s cannot be read: %s", folder, strerror(errno)), NULL;
  char **paths = NULL;
  size_t found = 0;
  for (struct dirent *entry; (entry = readdir(handle));) {
    if (!ends_in(entry->d_name, suffixes)) continue;
    paths = append(paths, found, path_join(folder, entry->d_name));
    if (!paths) break;
    found++;
  }
  closedir(handle);
  if (!paths && found == 0) return complain_none(folder, suffixes), NULL;
  if (!paths) return NULL;
  qsort(paths, found, sizeof *paths, by_name);
  *count = found;
  return paths;
}

void folder_list_free(char **paths, size_t count) {
  for (size_t i = 0; paths && i < count; i++) free(paths[i]);
  free(paths);
}
