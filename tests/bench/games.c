/* How the steps of these games are written. D learns first, then G on the same generated samples, as in the other cases. */
#include "games.h"

#include "networks.h"

/* ---------------------------------------------------------------------------------------------------------------- pieces */

static gan_node *input(struct play *p, const char *name, int32_t type, int32_t rank, const int64_t *shape) {
  gan_node *node = gan_input(p->step, name, type, rank, shape);
  p->inputs[p->n_inputs].name = name;
  p->inputs[p->n_inputs++].node = node;
  return node;
}

static gan_node *images(struct play *p, const char *name, int64_t side, int64_t channels) {
  return input(p, name, GAN_F32, 4, (const int64_t[]){p->batch, side, side, channels});
}

static gan_node *labels(struct play *p, const char *name) {
  return input(p, name, GAN_I32, 1, &p->batch);
}

/* width 0: labels (batch). */
static gan_node *drawn(struct play *p, const char *name, const char *distribution, int64_t width) {
  const int64_t shape[] = {p->batch, width};
  int32_t rank = width ? 2 : 1;
  return p->given ? input(p, name, width ? GAN_F32 : GAN_I32, rank, shape) : gan_random(p->step, name, distribution, rank, shape);
}

static const char NORMAL[] = "normal", CLASSES[] = "integers low=0 high=10", UNIFORM[] = "uniform low=-1 high=1";

static gan_node *join(gan_node *a, gan_node *b) {
  return gan_concat(2, (gan_node *const[]){a, b}, 0);
}

/* What belongs to the first or the second half of two joined batches. */
static gan_node *half(const struct play *p, gan_node *both, int second) {
  return gan_slice(both, 0, second * p->batch, (second + 1) * p->batch);
}

static gan_node *mean_of(gan_node *a, gan_node *b) {
  return gan_scale(gan_add(a, b), 0.5);
}

/* Least squares with the targets 1 and 0, as these programs write them: no half. */
static gan_node *squares(gan_node *scores, double target) {
  return gan_mean(gan_square(gan_shift(scores, -target)));
}

static void minimize(struct play *p, int optimizer, gan_node *loss) {
  static const char *const names[] = {"loss1", "loss2", "loss3"};
  gan_minimize(p->optimizers[optimizer], gan_output(loss, names[optimizer]));
}

static void apply_many(gan_network *network, int32_t n_in, gan_node *const *in, int32_t n_out, gan_node **out) {
  gan_network_apply(network, 1, n_in, in, n_out, out);
}

/* ----------------------------------------------------------------------------------------------------------------- cgan */

/* PyTorch-GAN's cgan (Mirza and Osindero 2014): both networks are told the class by an embedding. Least squares. */
static void build_cgan(struct play *p) {
  gan_network *g = p->networks[0], *d = p->networks[1];
  gan_node *real = images(p, "real", 32, 1), *label = labels(p, "label");
  gan_node *z = drawn(p, "z", NORMAL, 100), *made = drawn(p, "made", CLASSES, 0);
  gan_phase(p->step, "D");
  gan_node *fake = gan_apply2(g, z, made);
  gan_node *scores = gan_apply2(d, join(real, fake), join(label, made));
  minimize(p, 0, mean_of(squares(half(p, scores, 0), 1), squares(half(p, scores, 1), 0)));
  gan_phase(p->step, "G");
  minimize(p, 1, squares(gan_apply2(d, fake, made), 1));
}

#define CLASS(width) "input label classes=10; embedding classes=10 width=" width " from=label name=class; "

const struct bench_play play_cgan = {
  {"input z 100 noise=normal; " CLASS("10") "concat from=class,z; " PTGAN_UP "dense units=1024; tanh; reshape shape=32x32x1",
   "input x 32x32x1; " CLASS("10") "flatten from=x name=pixels; concat from=pixels,class; dense units=512; " LEAKY_2
   "dense units=512; dropout rate=0.4; " LEAKY_2 "dense units=512; dropout rate=0.4; " LEAKY_2 "dense units=1"},
  {2, 1}, build_cgan, 0,
};

/* ---------------------------------------------------------------------------------------------------------------- acgan */

static gan_node *judged(gan_node *const outputs[2], double target, gan_node *label) {
  return mean_of(gan_binary_cross_entropy(outputs[0], target), gan_cross_entropy(outputs[1], label));
}

/* PyTorch-GAN's acgan (Odena et al. 2017): noise times an embedding; D tells the class, too (by one softmax, not two). */
static void build_acgan(struct play *p) {
  gan_network *g = p->networks[0], *d = p->networks[1];
  gan_node *real = images(p, "real", 32, 1), *label = labels(p, "label"), *of_real[2], *of_fake[2], *again[2];
  gan_node *z = drawn(p, "z", NORMAL, 100), *made = drawn(p, "made", CLASSES, 0);
  gan_phase(p->step, "D");
  gan_node *fake = gan_apply2(g, z, made);
  apply_many(d, 1, &real, 2, of_real);
  apply_many(d, 1, &fake, 2, of_fake);
  minimize(p, 0, mean_of(judged(of_real, 1, label), judged(of_fake, 0, made)));
  gan_phase(p->step, "G");
  apply_many(d, 1, &fake, 2, again);
  minimize(p, 1, judged(again, 1, made));
}

const struct bench_play play_acgan = {
  {"input z 100 noise=normal; " CLASS("100") "multiply from=class,z; " DCGAN_32_UP,
   "input x 32x32x1; " DCGAN_32_DOWN "dense units=1 from=features name=score; dense units=10 from=features name=class; "
   "output score score; output class class"},
  {2, 1}, build_acgan, 0,
};

/* -------------------------------------------------------------------------------------------------------------- infogan */

/* PyTorch-GAN's infogan (Chen et al. 2016): a third step, of both networks, on samples of its own: their class and code are to be
 * read off them. */
static void build_infogan(struct play *p) {
  gan_network *g = p->networks[0], *d = p->networks[1];
  gan_node *real = images(p, "real", 32, 1), *out[3];
  gan_node *codes[] = {drawn(p, "z", NORMAL, 62), drawn(p, "class", CLASSES, 0), drawn(p, "code", UNIFORM, 2)}, *fake, *more;
  gan_phase(p->step, "D");
  apply_many(g, 3, codes, 1, &fake);
  minimize(p, 0, mean_of(squares(gan_apply(d, real), 1), squares(gan_apply(d, fake), 0)));
  gan_phase(p->step, "G");
  minimize(p, 1, squares(gan_apply(d, fake), 1));
  gan_phase(p->step, "information");
  gan_node *others[] = {drawn(p, "z2", NORMAL, 62), drawn(p, "class2", CLASSES, 0), drawn(p, "code2", UNIFORM, 2)};
  apply_many(g, 3, others, 1, &more);
  apply_many(d, 1, &more, 3, out);
  minimize(p, 2, gan_add(gan_cross_entropy(out[1], others[1]), gan_scale(gan_l2(out[2], others[2]), 0.1)));
}

const struct bench_play play_infogan = {
  {"input z 62 noise=normal; input class classes=10; input code 2 noise=uniform; one-hot classes=10 from=class name=hot; "
   "concat from=z,hot,code; " DCGAN_32_UP,
   "input x 32x32x1; " DCGAN_32_DOWN "dense units=1 from=features name=score; dense units=10 from=features name=class; "
   "dense units=2 from=features name=code; output score score; output class class; output code code"},
  {2, 1, 3}, build_infogan, 0,
};

/* -------------------------------------------------------------------------------------------------------------- pix2pix */

/* PyTorch-GAN's pix2pix (Isola et al. 2017), its U-Net as deep as 64x64 pixels allow: six levels. */
static void build_pix2pix(struct play *p) {
  gan_network *g = p->networks[0], *d = p->networks[1];
  gan_node *a = images(p, "a", 64, 3), *b = images(p, "b", 64, 3);
  gan_phase(p->step, "D");
  gan_node *fake = gan_apply(g, a), *scores = gan_apply2(d, join(b, fake), join(a, a));
  minimize(p, 0, mean_of(squares(half(p, scores, 0), 1), squares(half(p, scores, 1), 0)));
  gan_phase(p->step, "G");
  minimize(p, 1, gan_add(squares(gan_apply2(d, fake, a), 1), gan_scale(gan_l1(fake, b), 100)));
}

#define CONV_4(filters) "conv2d filters=" filters " kernel=4 stride=2 padding=1"
#define U_DOWN(filters) CONV_4(filters) " bias=no; instance-norm; leaky-relu slope=0.2"
#define U_UP(filters) "conv-transpose2d filters=" filters " kernel=4 stride=2 padding=1 bias=no; instance-norm; relu"
#define U_NET                                                                                                              \
  "input a 64x64x3; " CONV_4("64") " bias=no; leaky-relu slope=0.2 name=down1; " U_DOWN("128") " name=down2; "              \
  U_DOWN("256") " name=down3; " U_DOWN("512") "; dropout rate=0.5 name=down4; "                                            \
  U_DOWN("512") "; dropout rate=0.5 name=down5; " CONV_4("512") " bias=no; " LEAKY_2 "dropout rate=0.5; "                  \
  U_UP("512") "; dropout rate=0.5 name=up1; concat from=up1,down5; " U_UP("512") "; dropout rate=0.5 name=up2; "           \
  "concat from=up2,down4; " U_UP("256") " name=up3; concat from=up3,down3; " U_UP("128") " name=up4; "                     \
  "concat from=up4,down2; " U_UP("64") " name=up5; concat from=up5,down1; "                                                \
  "upsample; conv2d filters=3 kernel=4 padding=2,1,2,1; tanh"

/* The discriminator of patches that pix2pix and cyclegan share, behind its first convolution. */
#define PATCHES(last)                                                                                                      \
  LEAKY_2 CONV_4("128") "; instance-norm; " LEAKY_2 CONV_4("256") "; instance-norm; " LEAKY_2 CONV_4("512")                \
    "; instance-norm; " LEAKY_2 "conv2d filters=1 kernel=4 padding=2,1,2,1" last

const struct bench_play play_pix2pix = {
  {U_NET, "input b 64x64x3; input a 64x64x3; concat from=b,a; " CONV_4("64") "; " PATCHES(" bias=no")},
  {2, 1}, build_pix2pix, 1,
};

/* ------------------------------------------------------------------------------------------------------------- cyclegan */

/* PyTorch-GAN's cyclegan (Zhu et al. 2017) with the six blocks that the paper has for small images. Networks: there (A to B),
 * back, D of A, D of B. Nothing in them couples samples, so what one network does in one phase is one batch. The history of
 * generated images is left out: it changes which ones D sees, not what is computed. */
static void build_cyclegan(struct play *p) {
  gan_network *there = p->networks[0], *back = p->networks[1], *d_a = p->networks[2], *d_b = p->networks[3];
  gan_node *a = images(p, "a", 64, 3), *b = images(p, "b", 64, 3);
  gan_phase(p->step, "D");
  gan_node *to_b = gan_apply(there, join(a, b)), *to_a = gan_apply(back, join(b, a));
  gan_node *fake_b = half(p, to_b, 0), *same_b = half(p, to_b, 1), *fake_a = half(p, to_a, 0), *same_a = half(p, to_a, 1);
  gan_node *of_a = gan_apply(d_a, join(a, fake_a)), *of_b = gan_apply(d_b, join(b, fake_b));
  minimize(p, 0, mean_of(squares(half(p, of_a, 0), 1), squares(half(p, of_a, 1), 0)));
  minimize(p, 1, mean_of(squares(half(p, of_b, 0), 1), squares(half(p, of_b, 1), 0)));
  gan_phase(p->step, "G");
  gan_node *fooled = mean_of(squares(gan_apply(d_a, fake_a), 1), squares(gan_apply(d_b, fake_b), 1));
  gan_node *cycle = mean_of(gan_l1(gan_apply(back, fake_b), a), gan_l1(gan_apply(there, fake_a), b));
  gan_node *identity = mean_of(gan_l1(same_a, a), gan_l1(same_b, b));
  minimize(p, 2, gan_add(gan_add(fooled, gan_scale(cycle, 10)), gan_scale(identity, 5)));
}

#define PADDED_CONV(filters) "pad padding=1 mode=reflect; conv2d filters=" filters " kernel=3; instance-norm"
#define RES_BLOCK(from, to)                                                                                               \
  "pad padding=1 mode=reflect from=" from "; conv2d filters=256 kernel=3; instance-norm; relu; " PADDED_CONV("256")        \
  " name=inner" to "; add from=" from ",inner" to " name=" to "; "
#define TRANSLATOR                                                                                                        \
  "input x 64x64x3; pad padding=3 mode=reflect; conv2d filters=64 kernel=7; instance-norm; relu; "                         \
  "conv2d filters=128 kernel=3 stride=2 padding=1; instance-norm; relu; "                                                  \
  "conv2d filters=256 kernel=3 stride=2 padding=1; instance-norm; relu name=r0; "                                          \
  RES_BLOCK("r0", "r1") RES_BLOCK("r1", "r2") RES_BLOCK("r2", "r3") RES_BLOCK("r3", "r4") RES_BLOCK("r4", "r5")            \
  RES_BLOCK("r5", "r6") "upsample; conv2d filters=128 kernel=3 padding=1; instance-norm; relu; "                           \
  "upsample; conv2d filters=64 kernel=3 padding=1; instance-norm; relu; pad padding=3 mode=reflect; "                      \
  "conv2d filters=3 kernel=7; tanh"
#define PATCH_D "input x 64x64x3; " CONV_4("64") "; " PATCHES("")

const struct bench_play play_cyclegan = {
  {TRANSLATOR, TRANSLATOR, PATCH_D, PATCH_D}, {4, 8, 3}, build_cyclegan, 1,
};

/* ----------------------------------------------------------------------------------------------------------- projection */

/* cGANs with a projection discriminator (Miyato and Koyama 2018) at 32x32: the blocks of the ResNet SNGAN with 64 channels, a
 * generator with conditional batch norm, and R1 in the place of spectral norm (Mescheder et al. 2018), on logistic losses. */
static void build_projection(struct play *p) {
  gan_network *g = p->networks[0], *d = p->networks[1];
  gan_node *real = images(p, "real", 32, 3), *label = labels(p, "label");
  gan_node *z = drawn(p, "z", NORMAL, 128), *made = drawn(p, "made", CLASSES, 0);
  gan_phase(p->step, "D");
  gan_node *fake = gan_apply2(g, z, made), *score = gan_apply2(d, real, label);
  gan_node *loss = gan_add(gan_binary_cross_entropy(score, 1), gan_binary_cross_entropy(gan_apply2(d, fake, made), 0));
  gan_node *slope = gan_square(gan_norm_per_sample(gan_gradient(score, real)));
  minimize(p, 0, gan_add(loss, gan_scale(gan_mean(slope), 5)));
  gan_phase(p->step, "G");
  minimize(p, 1, gan_binary_cross_entropy(gan_apply2(d, fake, made), 1));
}

#define UP_BLOCK(from, to)                                                                                                \
  "residual-block filters=64 resample=up norm=(conditional-batch-norm classes=10) from=" from ",label name=" to "; "
#define BLOCK "residual-block filters=64"

const struct bench_play play_projection = {
  {"input z 128 noise=normal; input label classes=10; dense units=1024 from=z; reshape shape=4x4x64 name=x0; "
   UP_BLOCK("x0", "x1") UP_BLOCK("x1", "x2") UP_BLOCK("x2", "x3") "batch-norm; relu; conv2d filters=3 kernel=3 padding=1; tanh",
   "input x 32x32x3; input label classes=10; " BLOCK " resample=down first=yes from=x; " BLOCK " resample=down; " BLOCK "; " BLOCK
   "; relu; global-sum-pool name=features; projection classes=10 from=features,label"},
  {2, 1}, build_projection, 0,
};
