/* Bytes in and out: files that are whole or not there, streams, and every call of the system made to fail. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/context.h"
#include "io/io.h"
#include "support.h"

static gan_context *ctx;
static struct allocator memory;
static char folder[64], path[96];

static int set_up(void **state) {
  (void)state;
  memory = (struct allocator){0};
  gan_context_config c = allocator_config(&memory);
  snprintf(folder, sizeof folder, "test_io-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/file", folder);
  return context_new(&c, &ctx);
}

/* Removes what is in the folder; returns how many there were. */
static int32_t clear_folder(void) {
  int32_t count = 0;
  DIR *d = opendir(folder);
  for (struct dirent *e; d && (e = readdir(d));) {
    char name[400];
    if (e->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
    count += remove(name) == 0;
  }
  if (d) closedir(d);
  return count;
}

static int tear_down(void **state) {
  (void)state;
  clear_folder();
  rmdir(folder);
  context_unref(ctx);
  return memory.live != 0 || memory.bytes != 0;
}

/* ------------------------------------------------------------------ a system that fails on demand */

static struct {
  int64_t calls, fail_at, piece; /* piece: most bytes of one read or write; 0: all */
  int32_t fail_on, problem, open_files;
  const char *failed;
} faults;

static int32_t fault(const char *call) {
  int64_t n = ++faults.calls;
  if (!faults.fail_at || n < faults.fail_at || (n > faults.fail_at && !faults.fail_on)) return 0;
  if (!faults.failed) faults.failed = call;
  return -faults.problem;
}

static int64_t piece_of(int64_t count) {
  return faults.piece && faults.piece < count ? faults.piece : count;
}

static int32_t faulty_open(const char *name, int32_t write) {
  int32_t problem = fault("open"), fd = problem ? problem : io_system()->open(name, write);
  faults.open_files += fd >= 0;
  return fd;
}

static int64_t faulty_read(int32_t fd, void *bytes, int64_t count) {
  int32_t problem = fault("read");
  return problem ? problem : io_system()->read(fd, bytes, piece_of(count));
}

static int64_t faulty_write(int32_t fd, const void *bytes, int64_t count) {
  int32_t problem = fault("write");
  return problem ? problem : io_system()->write(fd, bytes, piece_of(count));
}

static int32_t faulty_sync(int32_t fd) {
  int32_t problem = fault("sync");
  return problem ? problem : io_system()->sync(fd);
}

/* As the real one: the descriptor is gone whatever it reports. */
static int32_t faulty_close(int32_t fd) {
  int32_t problem = fault("close"), closed = io_system()->close(fd);
  faults.open_files--;
  return problem ? problem : closed;
}

static int32_t faulty_rename(const char *from, const char *to) {
  int32_t problem = fault("rename");
  return problem ? problem : io_system()->rename(from, to);
}

static int32_t faulty_remove(const char *name) {
  int32_t problem = fault("remove");
  return problem ? problem : io_system()->remove(name);
}

static int32_t faulty_sync_directory(const char *name) {
  int32_t problem = fault("sync_directory");
  return problem ? problem : io_system()->sync_directory(name);
}

static int64_t faulty_size(int32_t fd) {
  return fault("size") ? -1 : io_system()->size(fd);
}

static const struct io_system faulty = {faulty_open, faulty_read, faulty_write, faulty_size, faulty_sync, faulty_close,
                                        faulty_rename, faulty_remove, faulty_sync_directory};

static void reset_faults(void) {
  memset(&faults, 0, sizeof faults);
  faults.problem = EIO;
}

/* ------------------------------------------------------------------ files */

static gan_status save(const struct io_system *sys, const char *to, const char *text) {
  struct writer w;
  gan_status status = writer_open(&w, ctx, sys, to);
  for (const char *s = text; status == GAN_OK && *s; s += strnlen(s, 5)) status = writer_write(&w, s, (int64_t)strnlen(s, 5));
  return status == GAN_OK ? writer_commit(&w) : (writer_abandon(&w), writer_abandon(&w), status);
}

/* The whole file, or NULL. */
static const char *content(void) {
  static char text[1000];
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  return text;
}

static void test_file_round_trip(void **state) {
  (void)state;
  char back[64] = {0};
  struct reader r;
  reset_faults();
  for (faults.piece = 0; faults.piece <= 4; faults.piece++) { /* short reads and writes are gone on with */
    must(ctx, save(&faulty, path, "hello, file"));
    assert_string_equal(content(), "hello, file");
    must(ctx, reader_open(&r, ctx, &faulty, path));
    assert_int_equal(r.left, 11);
    must(ctx, reader_read(&r, back, 0));
    must(ctx, reader_read(&r, back, 5));
    must(ctx, reader_skip(&r, 2));
    must(ctx, reader_read(&r, back + 5, 4));
    assert_string_equal(back, "hellofile");
    assert_int_equal(reader_read(&r, back, 1), GAN_ERROR_FORMAT);
    assert_int_equal(reader_skip(&r, 1), GAN_ERROR_FORMAT);
    assert_non_null(strstr(ctx->error, "ends early"));
    reader_close(&r);
    reader_close(&r);
  }
  assert_int_equal(faults.open_files, 0);
  assert_int_equal(clear_folder(), 1); /* no temporary file is left */
}

/* Whatever fails, and however often: the old file stays, or the new one is there as a whole. */
static void expect_whole(gan_status status) {
  const char *now = content();
  assert_non_null(now);
  if (status == GAN_OK || strcmp(faults.failed, "sync_directory") == 0) assert_string_equal(now, "the new file");
  else assert_string_equal(now, "the old file");
  assert_int_equal(faults.open_files, 0);
}

static void test_every_call_fails_while_saving(void **state) {
  (void)state;
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      must(ctx, save(io_system(), path, "the old file"));
      reset_faults();
      faults.fail_at = n, faults.fail_on = on;
      gan_status status = save(&faulty, path, "the new file");
      if (!faults.failed) break;
      assert_int_equal(status, GAN_ERROR_FILE);
      assert_non_null(strstr(ctx->error, "the device reports an error (error 5)"));
      expect_whole(status);
      int32_t left = clear_folder();
      if (!on) assert_int_equal(left, 1); /* the temporary file could be removed */
      assert_true(n < 30);
    }
  }
}

/* A signal, or a quota: with and without an old file. */
static void test_full_disk(void **state) {
  (void)state;
  reset_faults();
  faults.problem = ENOSPC;
  faults.fail_at = 3;
  assert_int_equal(save(&faulty, path, "the new file"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "the disk is full"));
  assert_null(content());
  assert_int_equal(clear_folder(), 0);
}

static int64_t write_nothing(int32_t fd, const void *bytes, int64_t count) {
  (void)fd, (void)bytes, (void)count;
  return 0;
}

static void test_writing_nothing_is_a_full_disk(void **state) {
  (void)state;
  struct io_system sys = *io_system();
  sys.write = write_nothing;
  assert_int_equal(save(&sys, path, "the new file"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "the disk is full"));
  assert_int_equal(clear_folder(), 0);
}

static void test_every_call_fails_while_loading(void **state) {
  (void)state;
  must(ctx, save(io_system(), path, "the file"));
  for (int32_t on = 0; on < 2; on++) {
    for (int64_t n = 1;; n++) {
      struct reader r;
      char back[9] = {0};
      reset_faults();
      faults.fail_at = n, faults.fail_on = on, faults.piece = 3;
      gan_status status = reader_open(&r, ctx, &faulty, path);
      if (status == GAN_OK) status = reader_read(&r, back, 8);
      reader_close(&r);
      assert_int_equal(faults.open_files, 0);
      if (status == GAN_OK)
        assert_string_equal(back, "the file"); /* a close that fails, and a size that is not known, do no harm */
      else assert_int_equal(status, GAN_ERROR_FILE);
      if (!faults.failed) break;
      assert_true(n < 20);
    }
  }
}

static void test_saving_without_memory(void **state) {
  (void)state;
  for (int64_t n = 1;; n++) {
    memory.fail_at = memory.calls + n;
    gan_status status = save(io_system(), path, "the new file");
    int32_t reached = memory.calls >= memory.fail_at;
    memory.fail_at = 0;
    assert_int_equal(status, reached ? GAN_ERROR_MEMORY : GAN_OK);
    assert_int_equal(clear_folder(), !reached);
    if (!reached) return;
    assert_true(n < 10);
  }
}

static void test_places_that_cannot_be_written(void **state) {
  (void)state;
  char name[200];
  struct writer w;
  assert_int_equal(save(io_system(), "test_io-nowhere/at/all", "x"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "test_io-nowhere/at/all.tmp-0000 cannot be created: no such file or folder"));
  assert_int_equal(save(io_system(), "", "x"), GAN_ERROR_ARGUMENT);
  assert_int_equal(writer_open(&w, ctx, io_system(), NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(writer_write(&w, "x", 1), GAN_ERROR_ARGUMENT); /* what was never opened fails on */
  snprintf(name, sizeof name, "%s/sub", folder);
  assert_int_equal(mkdir(name, 0700), 0);
  assert_int_equal(save(io_system(), name, "x"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "it is a folder"));
  assert_int_equal(rmdir(name), 0);
  assert_int_equal(mkfifo(name, 0600), 0); /* as a device would be: it must not be replaced by a file */
  assert_int_equal(save(io_system(), name, "x"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "it is no regular file"));
  assert_int_equal(clear_folder(), 1);
}

/* Somebody else's temporary file is left alone. */
static void test_temporary_names(void **state) {
  (void)state;
  char other[128];
  for (int i = 0; i < 3; i++) {
    snprintf(other, sizeof other, "%s.tmp-%04d", path, i);
    int fd = open(other, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
  }
  must(ctx, save(io_system(), path, "the new file"));
  assert_string_equal(content(), "the new file");
  struct stat s;
  assert_int_equal(stat(other, &s), 0);
  assert_int_equal(s.st_size, 4);
  assert_int_equal(clear_folder(), 4);
}

static int32_t always_there(const char *name, int32_t write) {
  return write ? -EEXIST : io_system()->open(name, write);
}

static void test_no_temporary_name_is_free(void **state) {
  (void)state;
  struct io_system sys = *io_system();
  sys.open = always_there;
  assert_int_equal(save(&sys, path, "x"), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "it exists already"));
}

static void test_reading_what_is_none(void **state) {
  (void)state;
  struct reader r;
  char byte;
  assert_int_equal(reader_open(&r, ctx, io_system(), path), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "cannot be opened: no such file or folder"));
  assert_int_equal(reader_open(&r, ctx, io_system(), NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(reader_open(&r, ctx, io_system(), ""), GAN_ERROR_ARGUMENT);
  reader_close(&r);
  must(ctx, reader_open(&r, ctx, io_system(), folder));
  assert_int_equal(r.left, -1);
  assert_int_equal(reader_read(&r, &byte, 1), GAN_ERROR_FILE);
  assert_non_null(strstr(ctx->error, "it is a folder"));
  reader_close(&r);
}

/* ------------------------------------------------------------------ memory and streams */

static void test_memory_reader(void **state) {
  (void)state;
  struct reader r;
  char back[8] = {0};
  must(ctx, reader_memory(&r, ctx, "abcdef", 6));
  must(ctx, reader_read(&r, back, 2));
  must(ctx, reader_skip(&r, 1));
  must(ctx, reader_read(&r, back + 2, 3));
  assert_string_equal(back, "abdef");
  assert_int_equal(reader_read(&r, back, 1), GAN_ERROR_FORMAT);
  assert_int_equal(reader_read(&r, back, -1), GAN_ERROR_ARGUMENT);
  reader_close(&r);
  assert_int_equal(reader_memory(&r, ctx, NULL, 6), GAN_ERROR_ARGUMENT);
  assert_int_equal(reader_memory(&r, ctx, "x", -1), GAN_ERROR_ARGUMENT);
}

static void test_streams(void **state) {
  (void)state;
  char bytes[32], back[32] = {0};
  struct memory_file file = {.bytes = bytes, .capacity = sizeof bytes};
  gan_stream s = memory_stream(&file);
  struct writer w;
  struct reader r;
  must(ctx, writer_stream(&w, ctx, &s));
  must(ctx, writer_write(&w, "to a stream", 11));
  must(ctx, writer_commit(&w));
  writer_abandon(&w);
  assert_int_equal(file.size, 11);
  file.at = 0;
  must(ctx, reader_stream(&r, ctx, &s));
  assert_int_equal(r.left, -1);
  must(ctx, reader_read(&r, back, 3));
  must(ctx, reader_skip(&r, 2));
  must(ctx, reader_read(&r, back + 3, 6));
  assert_string_equal(back, "to stream");
  assert_int_equal(reader_read(&r, back, 1), GAN_ERROR_FORMAT);
  assert_int_equal(reader_skip(&r, 1), GAN_ERROR_FORMAT);
  reader_close(&r);
}

static int64_t answer; /* what the functions below return */

static int64_t answer_read(void *user, void *bytes, int64_t count) {
  (void)user, (void)bytes, (void)count;
  return answer;
}

static int64_t answer_write(void *user, const void *bytes, int64_t count) {
  (void)user, (void)bytes, (void)count;
  return answer;
}

/* A stream may fail, end, or lie about how much it did. */
static void test_streams_that_misbehave(void **state) {
  (void)state;
  static const struct { int64_t answer; gan_status read, write; } rows[] = {
    {-1, GAN_ERROR_FILE, GAN_ERROR_FILE}, {0, GAN_ERROR_FORMAT, GAN_ERROR_FILE}, {11, GAN_ERROR_FILE, GAN_ERROR_FILE},
    {INT64_MAX, GAN_ERROR_FILE, GAN_ERROR_FILE}, {INT64_MIN, GAN_ERROR_FILE, GAN_ERROR_FILE}, {10, GAN_OK, GAN_OK},
    {1, GAN_OK, GAN_OK},
  };
  gan_stream s;
  assert_int_equal(gan_stream_init(&s, sizeof s), GAN_OK);
  s.read = answer_read;
  s.write = answer_write;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char bytes[10] = {0};
    struct reader r;
    struct writer w;
    answer = rows[i].answer;
    must(ctx, reader_stream(&r, ctx, &s));
    assert_int_equal(reader_read(&r, bytes, 10), rows[i].read);
    reader_close(&r);
    must(ctx, writer_stream(&w, ctx, &s));
    assert_int_equal(writer_write(&w, bytes, 10), rows[i].write);
    answer = 1;
    assert_int_equal(writer_write(&w, bytes, 1), rows[i].write); /* a failure stays */
    assert_int_equal(writer_commit(&w), rows[i].write);
  }
}

static void test_streams_refused(void **state) {
  (void)state;
  struct reader r;
  struct writer w;
  gan_stream s;
  assert_int_equal(reader_stream(&r, ctx, NULL), GAN_ERROR_ARGUMENT);
  assert_int_equal(writer_stream(&w, ctx, NULL), GAN_ERROR_ARGUMENT);
  gan_stream_init(&s, sizeof s);
  assert_int_equal(reader_stream(&r, ctx, &s), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "the stream has no read function");
  assert_int_equal(writer_stream(&w, ctx, &s), GAN_ERROR_ARGUMENT);
  assert_string_equal(ctx->error, "the stream has no write function");
  s.read = answer_read;
  s.struct_size = 0;
  assert_int_equal(reader_stream(&r, ctx, &s), GAN_ERROR_ARGUMENT);
  s.struct_size = offsetof(gan_stream, write);
  assert_int_equal(reader_stream(&r, ctx, &s), GAN_OK);
  assert_int_equal(gan_stream_init(NULL, sizeof s), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_stream_init(&s, 0), GAN_ERROR_ARGUMENT);
  assert_int_equal(gan_stream_init(&s, INT64_MAX), GAN_ERROR_ARGUMENT);
}

static void test_error_texts(void **state) {
  (void)state;
  assert_string_equal(io_error_text(-ENOSPC), "the disk is full");
  assert_string_equal(io_error_text(ENOSPC), "the disk is full");
  assert_string_equal(io_error_text(-99999), "the system refused");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(test_file_round_trip), TEST(test_every_call_fails_while_saving), TEST(test_full_disk),
    TEST(test_writing_nothing_is_a_full_disk), TEST(test_every_call_fails_while_loading), TEST(test_saving_without_memory),
    TEST(test_places_that_cannot_be_written), TEST(test_temporary_names), TEST(test_no_temporary_name_is_free),
    TEST(test_reading_what_is_none), TEST(test_memory_reader), TEST(test_streams), TEST(test_streams_that_misbehave),
    TEST(test_streams_refused), TEST(test_error_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
