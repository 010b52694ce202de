/* Fashion-MNIST (Xiao et al. 2017) as sources of data, and other looks of its pictures. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "idx.h"
#include "parts.h"
#include "say.h"

/* ------------------------------------------------------------------------------------------------------------- files */

static void release_memory(void *user, void *data, int64_t bytes) {
  (void)data;
  (void)bytes;
  free(user);
}

/* One of the files, unpacked or not. Ends the program if it is not what it should be. */
static struct idx read_file(const struct recipe *r, const char *name, int32_t rank) {
  struct idx idx;
  char plain[64];
  strncpy(plain, name, sizeof plain - 1);
  plain[strlen(name) - strlen(".gz")] = 0;
  char *packed_path = path_join(r->folder, name), *plain_path = path_join(r->folder, plain);
  if (!packed_path || !plain_path) exit(1);
  if (!idx_read(file_exists(plain_path) ? plain_path : packed_path, &idx)) exit(1);
  int fits = idx.rank == rank && (rank == 1 || (idx.size[1] == SIDE && idx.size[2] == SIDE));
  if (!fits) exit(complain("%s is not of Fashion-MNIST", packed_path) + 1);
  free(packed_path);
  free(plain_path);
  return idx;
}

/* Pictures keep the file's bytes; labels become i32. */
static gan_tensor *pictures(const struct recipe *r, const char *name) {
  struct idx idx = read_file(r, name, 3);
  gan_tensor *tensor;
  need(r, gan_tensor_wrap(r->context, GAN_U8, 4, (int64_t[]){idx.size[0], SIDE, SIDE, 1}, idx.bytes, release_memory, idx.memory,
                          &tensor), name);
  return tensor;
}

static gan_tensor *labels(const struct recipe *r, const char *name) {
  struct idx idx = read_file(r, name, 1);
  gan_tensor *tensor;
  need(r, gan_tensor_create(r->context, GAN_I32, 1, idx.size, &tensor), name);
  need(r, gan_tensor_write(tensor, 0, idx.size[0], GAN_U8, idx.bytes), name);
  idx_free(&idx);
  return tensor;
}

/* ----------------------------------------------------------------------------------------------------------- sources */

static gan_data *source(const struct recipe *r, gan_tensor *images, gan_tensor *kinds) {
  gan_data *data;
  need(r, gan_data_create(r->context, &data), "the data");
  need(r, gan_data_add(data, "image", images, "range=-1..1"), "the images");
  need(r, gan_data_add(data, "label", kinds, "classes=10"), "the labels");
  return data;
}

void load_clothes(struct recipe *r) {
  r->images = pictures(r, "train-images-idx3-ubyte.gz");
  r->labels = labels(r, "train-labels-idx1-ubyte.gz");
  gan_tensor *images = pictures(r, "t10k-images-idx3-ubyte.gz"), *kinds = labels(r, "t10k-labels-idx1-ubyte.gz");
  r->clothes = source(r, r->images, r->labels);
  r->held_out = source(r, images, kinds);
  gan_tensor_free(images);
  gan_tensor_free(kinds);
}

gan_data *clothes(struct recipe *r) { return r->clothes; }
gan_data *held_out(struct recipe *r) { return r->held_out; }

static gan_data *part(struct recipe *r, int64_t begin, int64_t end) {
  gan_tensor *images, *kinds;
  need_room(r->n_sources, PARTS, "sources");
  need(r, gan_tensor_slice(r->images, begin, end, &images), "a part of the images");
  need(r, gan_tensor_slice(r->labels, begin, end, &kinds), "a part of the labels");
  gan_data *data = r->sources[r->n_sources++] = source(r, images, kinds);
  gan_tensor_free(images);
  gan_tensor_free(kinds);
  return data;
}

gan_data *clothes_half(struct recipe *r, int half) {
  int64_t count = gan_tensor_size(r->images, 0), middle = count / 2;
  return half ? part(r, middle, count) : part(r, 0, middle);
}

gan_data *clothes_few(struct recipe *r, int64_t count) {
  int64_t all = gan_tensor_size(r->images, 0);
  return part(r, 0, count < all ? count : all);
}
