#include "io/io.h"

#include <string.h>

gan_status gan_stream_init(gan_stream *stream, int64_t size) {
  gan_stream none;
  memset(&none, 0, sizeof none);
  return config_write(stream, size, &none, sizeof none);
}
