#include "io/safetensors_types.h"

#include "gan.h"

const struct st_type_row st_types[ST_DISK_TYPES] = {
  [ST_F32] = {"F32", 4, GAN_F32},   [ST_F64] = {"F64", 8, GAN_F64},   [ST_I32] = {"I32", 4, GAN_I32}, [ST_U8] = {"U8", 1, GAN_U8},
  [ST_F16] = {"F16", 2, GAN_F32},   [ST_BF16] = {"BF16", 2, GAN_F32}, [ST_I64] = {"I64", 8, -1},      [ST_U64] = {"U64", 8, -1},
  [ST_U32] = {"U32", 4, -1},        [ST_I16] = {"I16", 2, -1},        [ST_U16] = {"U16", 2, -1},      [ST_I8] = {"I8", 1, -1},
  [ST_BOOL] = {"BOOL", 1, -1},      [ST_F8_E4M3] = {"F8_E4M3", 1, -1}, [ST_F8_E5M2] = {"F8_E5M2", 1, -1},
};

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
void st_to_file_order(void *elements, int64_t count, int32_t bytes) {
  unsigned char *p = elements;
  for (int64_t i = 0; i < count; i++, p += bytes)
    for (int32_t a = 0, b = bytes - 1; a < b; a++, b--) {
      unsigned char kept = p[a];
      p[a] = p[b];
      p[b] = kept;
    }
}
#else
void st_to_file_order(void *elements, int64_t count, int32_t bytes) {
  (void)elements, (void)count, (void)bytes;
}
#endif
