/* The loops of machine.c for one instruction set. Included once for each, with NAME, TARGET and LANES defined. */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(NAME, vector)
typedef float VECTOR __attribute__((vector_size(4 * LANES), aligned(4 * LANES)));

/* Twelve chains hide the latency of two units; they start apart, or the compiler would make one of them. x * decay + decay is
 * contracted to one multiply-add. */
TARGET static double JOIN(NAME, multiply_add)(void *user, int index) {
  VECTOR decay = decay_source - (VECTOR){0}, a = decay, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7,
         i = a + 8, j = a + 9, k = a + 10, l = a + 11;
  (void)user, (void)index;
  for (int64_t round = 0; round < ROUNDS; round++) {
    a = a * decay + decay, b = b * decay + decay, c = c * decay + decay, d = d * decay + decay;
    e = e * decay + decay, f = f * decay + decay, g = g * decay + decay, h = h * decay + decay;
    i = i * decay + decay, j = j * decay + decay, k = k * decay + decay, l = l * decay + decay;
  }
  a = a + b + c + d + e + f + g + h + i + j + k + l;
  for (int lane = 0; lane < LANES; lane++) sink = a[lane];
  return 2.0 * LANES * CHAINS * ROUNDS;
}

TARGET static double JOIN(NAME, read)(void *user, int index) {
  const struct sweep *s = user;
  const VECTOR *x = (const VECTOR *)(s->array[0] + index * s->count);
  VECTOR a = {0}, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (int64_t repeat = 0; repeat < s->repeats; repeat++) {
    for (int64_t i = 0; i < s->count / LANES; i += 8) {
      a += x[i], b += x[i + 1], c += x[i + 2], d += x[i + 3], e += x[i + 4], f += x[i + 5], g += x[i + 6], h += x[i + 7];
    }
  }
  a = a + b + c + d + e + f + g + h;
  for (int lane = 0; lane < LANES; lane++) sink = a[lane];
  return 4.0 * (double)(s->count * s->repeats);
}

TARGET static double JOIN(NAME, update)(void *user, int index) {
  const struct sweep *s = user;
  VECTOR *w = (VECTOR *)(s->array[0] + index * s->count), *m = (VECTOR *)(s->array[1] + index * s->count),
         *v = (VECTOR *)(s->array[2] + index * s->count), decay = decay_source - (VECTOR){0};
  for (int64_t repeat = 0; repeat < s->repeats; repeat++) {
    for (int64_t i = 0; i < s->count / LANES; i++) {
      m[i] = m[i] * decay;
      v[i] = v[i] * decay;
      w[i] = w[i] - m[i] * v[i];
    }
  }
  return 6 * 4.0 * (double)(s->count * s->repeats);
}

static const struct loops NAME = {JOIN(NAME, multiply_add), JOIN(NAME, read), JOIN(NAME, update)};

#undef VECTOR
#undef JOIN
#undef JOIN_
#undef NAME
#undef TARGET
#undef LANES
