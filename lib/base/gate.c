#include "base/gate.h"

#include "base/cpu.h"

int32_t gate_init(struct gate *g) {
  atomic_init(&g->value, 0);
  atomic_init(&g->sleepers, 0);
  if (pthread_mutex_init(&g->mutex, NULL) != 0) return 0;
  if (pthread_cond_init(&g->changed, NULL) == 0) return 1;
  pthread_mutex_destroy(&g->mutex);
  return 0;
}

void gate_destroy(struct gate *g) {
  pthread_cond_destroy(&g->changed);
  pthread_mutex_destroy(&g->mutex);
}

static void sleep_while(struct gate *g, uint32_t old) {
  pthread_mutex_lock(&g->mutex);
  atomic_fetch_add(&g->sleepers, 1);
  while (atomic_load(&g->value) == old) pthread_cond_wait(&g->changed, &g->mutex);
  atomic_fetch_sub(&g->sleepers, 1);
  pthread_mutex_unlock(&g->mutex);
}

void gate_wait(struct gate *g, uint32_t old, int32_t spins) {
  for (int32_t i = 0; i < spins; i++) {
    if (atomic_load_explicit(&g->value, memory_order_acquire) != old) return;
    cpu_relax();
  }
  if (atomic_load_explicit(&g->value, memory_order_acquire) == old) sleep_while(g, old);
}

/* A waiter writes `sleepers` and then reads `value`, this writes `value` and then reads `sleepers`, in one order for all threads:
 * so either the waiter sees the new value, or it is seen here. Nobody sleeps: no lock, no system call. */
void gate_advance(struct gate *g) {
  atomic_fetch_add(&g->value, 1);
  if (!atomic_load(&g->sleepers)) return;
  pthread_mutex_lock(&g->mutex);
  pthread_cond_broadcast(&g->changed);
  pthread_mutex_unlock(&g->mutex);
}
