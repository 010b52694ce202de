/* Whole files: reading (gzip or not), writing without ever leaving half a file, folders. Complaints go to standard error. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <stdint.h>

/* Reads a whole file, unpacking gzip, followed by a zero byte. Returns memory to free, or NULL after a sentence. */
uint8_t *file_read(const char *path, size_t limit, size_t *size);

/* Writes to a temporary file beside path, syncs, renames. 1, or 0 after a sentence; then the old file stands. */
int file_write(const char *path, const void *bytes, size_t size);

int file_exists(const char *path);
int folder_exists(const char *path);
int folder_make(const char *path); /* and its parents; 1, or 0 after a sentence */

/* "folder/name" in fresh memory, or NULL after a sentence. */
char *path_join(const char *folder, const char *name);

/* Paths of the files in a folder whose names end in one of the suffixes (NULL ends them), in alphabetical order; count is
 * set. NULL after a sentence. */
char **folder_list(const char *folder, const char *const *suffixes, size_t *count);
void folder_list_free(char **paths, size_t count);

#endif
