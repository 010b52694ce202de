/* safetensors: 8 bytes of header size (little-endian), a JSON header, then the tensors' bytes.
 * https://github.com/huggingface/safetensors, format as of 0.4. Values are little-endian on disk.
 */
#ifndef GAN_IO_SAFETENSORS_H
#define GAN_IO_SAFETENSORS_H

#include "io/io.h"
#include "io/json.h"

struct st_tensor {
  const char *name;
  int32_t type, rank;              /* GAN_F32, GAN_F64, GAN_I32, GAN_U8; F16 and BF16 are read as f32 */
  int32_t disk_type;               /* private */
  int64_t shape[GAN_MAX_RANK];
  int64_t count, begin, end;       /* elements; byte range in the data part */
  const void *data;                /* writing: what to write */
};

struct st_metadata { const char *key, *value; };

gan_status st_write(struct writer *w, int32_t n_metadata, const struct st_metadata *metadata, int64_t n_tensors, const struct st_tensor *tensors);

/* The header, checked: sizes, counts, ranges without overlap and without holes, bounded before anything is allocated; if the
 * reader knows its size, data must fill it exactly. Tensors are in the order of their bytes. */
struct st_file {
  gan_context *ctx;
  struct reader *reader;
  struct json_document header;
  struct st_tensor *tensors;
  int64_t count, capacity, position, data_size;
};

gan_status st_open(struct st_file *f, gan_context *ctx, struct reader *r);
const char *st_metadata(const struct st_file *f, const char *key);               /* NULL if absent */
/* Reads the bytes of tensor i, converted to f32 (or i32 for I32) into `to`. i must increase from call to call; skipped ones are passed over. */
gan_status st_read(struct st_file *f, int64_t i, void *to);
void st_close(struct st_file *f);

#endif
