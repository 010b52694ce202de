/* The types of elements in safetensors files, and which of them libgan has. */
#ifndef GAN_IO_SAFETENSORS_TYPES_H
#define GAN_IO_SAFETENSORS_TYPES_H

#include <stdint.h>

enum st_disk_type {
  ST_F32, ST_F64, ST_I32, ST_U8, ST_F16, ST_BF16, ST_I64, ST_U64, ST_U32, ST_I16, ST_U16, ST_I8, ST_BOOL, ST_F8_E4M3, ST_F8_E5M2,
  ST_DISK_TYPES
};

/* type: what it is read as, GAN_F32 ..; -1 for what is only passed over. Of f32, f64, i32, u8 also what is written. */
struct st_type_row { const char *name; int32_t bytes, type; };
extern const struct st_type_row st_types[ST_DISK_TYPES];

/* Swaps the bytes of count elements on a machine that does not have them in the file's order. */
void st_to_file_order(void *elements, int64_t count, int32_t bytes);

#endif
