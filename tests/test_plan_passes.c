/* Plans with all passes against plans with none, on graphs made at random and on small networks with their derivatives, for any
 * number of threads. */
#include "plan_bed.h"

/* ------------------------------------------------------------------ graphs made at random */

enum { POOL = 40 };
struct nodes { gan_node *list[POOL]; int32_t n; };

static gan_node *pick(const struct nodes *s) {
  return s->list[draw(0, s->n - 1)];
}

static int32_t fits(const gan_node *a, const gan_node *b) {
  for (int32_t i = 1; i <= a->rank && i <= b->rank; i++) {
    int64_t x = a->shape[a->rank - i], y = b->shape[b->rank - i];
    if (x != y && x != 1 && y != 1) return 0;
  }
  return 1;
}

static gan_node *pick_fitting(const struct nodes *s, const gan_node *to) {
  for (int32_t tries = 0; tries < 30; tries++) {
    gan_node *n = pick(s);
    if (fits(n, to)) return n;
  }
  return (gan_node *)to;
}

static gan_node *random_unary(gan_node *x) {
  switch (draw(0, 9)) {
  case 0: return gan_neg(x);
  case 1: return gan_abs(x);
  case 2: return gan_tanh(x);
  case 3: return gan_sigmoid(x);
  case 4: return gan_relu(x);
  case 5: return gan_leaky_relu(x, 0.2);
  case 6: return gan_sqrt(gan_shift(gan_square(x), 1));
  case 7: return gan_softplus(x);
  case 8: return gan_scale(x, draw(-3, 3) * 0.5);
  default: return gan_sin(x);
  }
}

static gan_node *random_binary(const struct nodes *s, gan_node *x) {
  gan_node *y = pick_fitting(s, x);
  switch (draw(0, 5)) {
  case 0: return gan_add(x, y);
  case 1: return gan_sub(y, x);
  case 2: return gan_maximum(x, y);
  case 3: return gan_select(gan_greater(x, gan_scale(x, 0)), y, x);
  case 4: return gan_div(x, gan_shift(gan_abs(y), 1));
  default: return gan_mul(x, gan_tanh(y));
  }
}

static gan_node *random_shape(gan_node *x) {
  int32_t order[GAN_MAX_RANK], axis = x->rank ? draw(0, x->rank - 1) : 0;
  if (x->rank == 0) return gan_broadcast(x, SHAPE(4, 6));
  for (int32_t d = 0; d < x->rank; d++) order[d] = (d + 1) % x->rank;
  switch (draw(0, 7)) {
  case 0: return gan_transpose(x, x->rank, order);
  case 1: return gan_reshape(x, 1, (int64_t[]){-1});
  case 2: return x->count == 24 ? gan_reshape(x, SHAPE(4, 1, 6)) : gan_stop_gradient(x);
  case 3: return gan_sum_axes(x, 1, &axis, 1);
  case 4: return gan_sum_axes(x, 1, &axis, 0);
  case 5: return x->shape[axis] > 2 ? gan_slice(x, axis, 1, x->shape[axis]) : gan_max_axes(x, 1, &axis, 1);
  case 6: return x->shape[axis] < 9 ? gan_pad(x, axis, 1, 1) : x;
  default: return x->count < 200 ? gan_concat(2, (gan_node *[]){x, gan_neg(x)}, axis) : x;
  }
}

static gan_node *random_product(const struct nodes *s, gan_node *x) {
  for (int32_t tries = 0; tries < 30 && x->rank == 2; tries++) {
    gan_node *y = pick(s);
    if (y->rank != 2) continue;
    if (x->shape[1] == y->shape[0]) return gan_scale(gan_matmul(x, y, 0, 0), 0.3);
    if (x->shape[0] == y->shape[0]) return gan_scale(gan_matmul(x, y, 1, 0), 0.3);
    if (x->shape[1] == y->shape[1]) return gan_scale(gan_matmul(x, gan_transpose(y, 2, (int32_t[]){1, 0}), 0, 0), 0.3);
  }
  return random_unary(x);
}

static gan_node *random_node(const struct nodes *s) {
  gan_node *x = pick(s);
  int32_t kind = draw(0, 9);
  if (kind < 3) return random_unary(x);
  if (kind < 7) return random_binary(s, x);
  return kind < 9 ? random_shape(x) : random_product(s, x);
}

static void random_graph(struct world *w, uint64_t number) {
  struct nodes s = {{INPUT(w, 4, 6), INPUT(w, 6), INPUT(w, 4, 1), INPUT(w, 6, 4)}, 4};
  drawn = number << 20;
  s.list[s.n++] = node_variable(w->g, VARIABLE(w, 6, 6));
  s.list[s.n++] = gan_random(w->g, "noise", "normal", SHAPE(4, 6));
  s.list[s.n++] = gan_constant(w->g, 0.75);
  for (; s.n < POOL; s.n++) s.list[s.n] = random_node(&s);
  gan_node *roots[ROOTS_MAX], *x[3] = {s.list[0], s.list[1], s.list[4]};
  for (int32_t i = 0; i < 6; i++) roots[i] = s.list[POOL - 1 - 2 * i];
  gan_node *y = gan_sum(roots[0]);
  for (int32_t i = 1; i < 4; i++) y = gan_add(y, gan_mean(roots[i]));
  gan_gradients(1, &y, NULL, 3, x, roots + 6);
  compare_passes(w, roots, 9, 2e-5);
}

static void test_random_graphs(void **state) {
  (void)state;
  for (int32_t isa = 0; isa < ISA_COUNT; isa++) {
    if (!kernels_select(isa)) continue;
    for (uint64_t number = 1; number <= 60; number++) {
      struct world w;
      open_world(&w, isa);
      random_graph(&w, number);
      close_world(&w);
    }
  }
}

/* ------------------------------------------------------------------ networks */

static void network_of_curves(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 33, 20), *h = gan_tanh(dense(w, x, 64));
  roots[0] = gan_sigmoid(dense(w, h, 17));
  roots[1] = gan_gradient(gan_mean(gan_square(roots[0])), x);
  roots[2] = gan_sum(h);
  *n = 3;
}

static gan_node *image_norm(gan_node *x) {
  static const int32_t axes[3] = {0, 1, 2};
  gan_node *centred = gan_sub(x, gan_mean_axes(x, 3, axes, 1));
  return gan_mul(centred, gan_power(gan_shift(gan_mean_axes(gan_square(centred), 3, axes, 1), 1e-3), -0.5));
}

static void network_of_images(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 3, 9, 8, 3), *h = gan_leaky_relu(weighted(w, x, 9, 4, "stride=2 padding=1"), 0.2);
  h = gan_relu(image_norm(weighted(w, h, 34, 3, "padding=1")));
  h = gan_pool(weighted(w, h, 6, 3, "padding=1"), "average kernel=2");
  h = gan_tanh(weighted(w, h, 5, 1, ""));
  gan_node *flat = gan_reshape(h, 2, (int64_t[]){3, -1});
  roots[0] = gan_mean(gan_softplus(dense(w, flat, 1)));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

static void generator_of_images(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *z = INPUT(w, 4, 1, 1, 10), *h = gan_relu(image_norm(weighted_back(w, z, 20, 3, "")));
  h = gan_leaky_relu(weighted_back(w, h, 12, 4, "stride=2 padding=1"), 0.1);
  h = gan_sigmoid(weighted(w, gan_resize(h, 12, 12, "nearest"), 7, 3, "padding=1"));
  roots[0] = gan_tanh(weighted(w, gan_pad_image(h, "reflect", "1"), 3, 3, ""));
  roots[1] = gan_gradient(gan_mean(gan_square(roots[0])), z);
  roots[2] = gan_sum(gan_pool(roots[0], "max kernel=3 stride=2"));
  *n = 3;
}

/* Derivatives of derivatives of convolutions. */
static void images_with_penalty(struct world *w, gan_node **roots, int32_t *n) {
  gan_node *x = INPUT(w, 4, 8, 8, 2), *h = gan_leaky_relu(weighted(w, x, 5, 4, "stride=2 padding=1"), 0.2);
  h = gan_leaky_relu(weighted(w, h, 6, 4, "stride=2 padding=1"), 0.2);
  gan_node *score = weighted(w, h, 1, 2, "");
  gan_node *slope = gan_norm_per_sample(gan_gradient(score, x));
  roots[0] = gan_add(gan_mean(score), gan_scale(gan_mean(gan_square(gan_shift(slope, -1))), 10));
  gradients_of_all(w, roots[0], roots + 1);
  *n = 1 + w->n_variables;
}

/* Sums of what chains compute: of columns and of everything, stored besides or not, of one value twice, of few columns, of rows. */
static void sums_of_chains(struct world *w, gan_node **roots, int32_t *n) {
  static const int32_t rows[3] = {0, 1, 2}, column[1] = {3}, two[2] = {0, 2};
  gan_node *x = INPUT(w, 6, 20, 18, 37), *bias = node_variable(w->g, VARIABLE(w, 37)), *y = gan_sigmoid(gan_add(x, bias));
  roots[0] = gan_sum_axes(gan_square(y), 3, rows, 0);
  roots[1] = gan_sum_axes(y, 3, rows, 1);
  roots[2] = gan_mean(gan_tanh(y));
  roots[3] = y;
  roots[4] = gan_sum_axes(gan_exp(y), 1, column, 0);
  roots[5] = gan_sum_axes(gan_abs(y), 2, two, 0);
  roots[6] = gan_sum_axes(gan_exp(gan_reshape(y, SHAPE(6 * 20 * 18 * 37, 1))), 1, rows, 0);
  roots[7] = gan_sum_axes(gan_neg(gan_reshape(gan_exp(y), SHAPE(6 * 20 * 6 * 37, 3))), 1, rows, 0);
  gan_node *loss = gan_sum(gan_mul(roots[0], roots[1]));
  gan_gradients(1, &loss, NULL, 2, (gan_node *[]){x, bias}, roots + 8);
  *n = 10;
}

static void test_networks(void **state) {
  (void)state;
  static void (*const networks[])(struct world *, gan_node **, int32_t *) = {
    network_of_relus, network_of_curves, network_with_penalty, network_of_images, generator_of_images, images_with_penalty,
    sums_of_chains,
  };
  for (int32_t isa = 0; isa < ISA_COUNT; isa++)
    for (int32_t i = 0; i < 7 && kernels_select(isa); i++) {
      struct world w;
      gan_node *roots[ROOTS_MAX];
      int32_t n;
      open_world(&w, isa);
      networks[i](&w, roots, &n);
      compare_passes(&w, roots, n, 2e-5);
      close_world(&w);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_random_graphs),
    cmocka_unit_test(test_networks),
  };
  return cmocka_run_group_tests_name("plan_passes", tests, NULL, NULL);
}
