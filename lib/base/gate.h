/* A number that only grows, and that threads wait on: first turning in place, then asleep. */
#ifndef GAN_BASE_GATE_H
#define GAN_BASE_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

/* Fields that a spinning thread reads lie apart from those that others write. */
struct gate {
  _Alignas(CACHE_LINE) atomic_uint value;
  _Alignas(CACHE_LINE) atomic_int sleepers;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
};

int32_t gate_init(struct gate *g);                           /* 1, or 0 if the system gave no lock */
void gate_destroy(struct gate *g);
void gate_wait(struct gate *g, uint32_t old, int32_t spins); /* until the value is another than old */
void gate_advance(struct gate *g);                           /* value + 1; wakes all. One thread at a time */

#endif
