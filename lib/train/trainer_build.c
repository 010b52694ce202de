/* The two-player game as a graph: D's phase on real and generated samples, then G's phase against the new D. */
#include "train/trainer.h"

/* ------------------------------------------------------------------ what a side minimises */

static gan_node *plus(gan_node *sum, gan_node *x) {
  return sum ? gan_add(sum, x) : x;
}

/* Of terms first .. end - 1; NULL: nothing. */
static gan_node *sum_of_terms(const struct scene *s, int32_t side, int32_t first, int32_t end) {
  gan_node *sum = NULL;
  for (int32_t i = first; i < end; i++) {
    const struct trainer_term *term = &s->t->terms[i];
    if (term->every == 1 && loss_concerns(term->loss, side)) sum = plus(sum, loss_emit(term->loss, side, &s->view));
  }
  return sum;
}

/* What the latents' way costs both sides (LOGAN's regulariser). */
static gan_node *with_cost(const struct scene *s, gan_node *loss) {
  const struct device *latent = devices_find(&s->t->devices, &device_latent_optimisation);
  double weight = latent && s->moved ? option_number(&latent->options, "weight") : 0;
  return loss && weight > 0 ? gan_add(loss, gan_scale(s->moved, weight)) : loss;
}

static gan_node *side_loss(const struct scene *s, int32_t side) {
  const struct device *d = side == GAN_SIDE_G ? devices_find(&s->t->devices, &device_gradient_ratio) : NULL;
  if (!d) return with_cost(s, sum_of_terms(s, side, 0, s->t->n_terms));
  gan_node *scores = sum_of_terms(s, side, 0, 1), *others = sum_of_terms(s, side, 1, s->t->n_terms), *at = s->made;
  if (scores && others) return with_cost(s, gan_mix_by_gradient(others, scores, option_number(&d->options, "ratio"), 1, &at));
  return graph_fail(s->g, GAN_ERROR_ARGUMENT, "gradient-ratio: the generator has not two losses: that of scores and others");
}

/* ------------------------------------------------------------------ D's phase */

/* Means of what the first loss takes for scores; probabilities where it has them. */
static void report_scores(const struct scene *s) {
  const gan_loss *loss = s->t->terms[0].loss;
  for (int32_t real = 0; real < 2; real++) {
    gan_node *scores = loss_scores(s->t->terms[0].loss, &s->view, real);
    gan_output(gan_mean(loss->row && loss->row->probabilities ? gan_sigmoid(scores) : scores), real ? "d_real" : "d_fake");
  }
}

static void learn(const struct scene *s) {
  for (int32_t i = 0; i < s->t->devices.count; i++) {
    const struct device *d = &s->t->devices.list[i];
    if (d->row->learn) d->row->learn(d, s->g, scene_score(s, 1));
  }
}

static void discriminator_phase(struct scene *s) {
  gan_phase(s->g, "D");
  scene_judge(s);
  gan_node *loss = side_loss(s, GAN_SIDE_D);
  if (!loss) {
    graph_fail(s->g, GAN_ERROR_ARGUMENT, "no loss gives the discriminator anything to minimise");
    return;
  }
  gan_output(loss, "loss_d");
  report_scores(s);
  learn(s);
  gan_minimize(s->t->optimizer_d, loss);
}

/* ------------------------------------------------------------------ G's phase */

static void weigh(struct scene *s) {
  for (int32_t i = 0; i < s->t->devices.count; i++) {
    const struct device *d = &s->t->devices.list[i];
    if (!d->row->weigh) continue;
    gan_node *weights = d->row->weigh(d, s->g, scene_score(s, 0));
    s->view.fake_weights = s->view.fake_weights ? gan_mul(s->view.fake_weights, weights) : weights;
  }
}

static void follow(const struct scene *s) {
  const struct device *ema = devices_find(&s->t->devices, &device_ema);
  if (ema) gan_follow_by(s->g, s->t->average, s->t->generator, device_scalar(ema, s->g));
}

/* What D's steps ahead would leave in layers and losses is none of G's phase. */
static void look_ahead(struct scene *s) {
  const struct device *d = devices_find(&s->t->devices, &device_unrolled);
  int64_t assigns = s->g->n_assigns, steps = d ? option_int(&d->options, "steps") : 0;
  for (int64_t i = 0; i < steps && !s->g->failed; i++) {
    scene_judge(s);
    gan_node *loss = side_loss(s, GAN_SIDE_D);
    if (loss) gan_look_ahead(s->t->optimizer_d, loss);
  }
  s->g->n_assigns = assigns;
}

/* joint: the phase is D's, too, and what D saw is there. */
static void generator_phase(struct scene *s, int32_t joint) {
  if (!joint) gan_phase(s->g, "G");
  look_ahead(s);
  if (!joint || !scene_is_shared(s)) scene_refresh(s);
  weigh(s);
  gan_node *loss = side_loss(s, GAN_SIDE_G);
  if (!loss) {
    graph_fail(s->g, GAN_ERROR_ARGUMENT, "no loss gives the generator anything to minimise");
    return;
  }
  gan_output(loss, "loss_g");
  gan_minimize(s->t->optimizer_g, loss);
  follow(s);
}

/* ------------------------------------------------------------------ steps */

void trainer_build(gan_trainer *t, gan_graph *g, int32_t phases) {
  struct scene s;
  scene_open(&s, t, g);
  if (g->failed) return;
  if (phases & TRAINER_D) discriminator_phase(&s);
  if (phases & TRAINER_G) generator_phase(&s, phases & TRAINER_D && t->joint);
}

/* As many times as strong as it is rare. */
void trainer_build_term(gan_trainer *t, gan_graph *g, const struct trainer_term *term) {
  struct scene s;
  scene_open(&s, t, g);
  if (g->failed) return;
  if (loss_concerns(term->loss, GAN_SIDE_D)) {
    gan_phase(g, "D");
    scene_judge(&s);
    gan_minimize(t->optimizer_d, gan_scale(loss_emit(term->loss, GAN_SIDE_D, &s.view), (double)term->every));
  }
  if (loss_concerns(term->loss, GAN_SIDE_G)) {
    gan_phase(g, "G");
    scene_refresh(&s);
    gan_minimize(t->optimizer_g, gan_scale(loss_emit(term->loss, GAN_SIDE_G, &s.view), (double)term->every));
  }
}
