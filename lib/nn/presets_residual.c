/* Presets of residual blocks. A block takes the value of the name `in` and gives one of the name `block`. */
#include "nn/presets.h"

#define GLOROT " init=glorot-uniform bias-init=zeros"
#define GLOROT_2 " init=(glorot-uniform gain=1.4142135623730951) bias-init=zeros"
#define SPECTRAL " spectral-norm=yes"

#define CONV(filters, kernel, padding, options) "conv2d filters={" filters "} kernel=" kernel " padding=" padding options
#define SUM(block, other) "add from=" block ".residual," other " name=" block "\n"

/* G: norm, relu, twice as large, 3x3, norm, relu, 3x3; beside it twice as large, 1x1. */
#define UP_BLOCK(block, in, filters, norm, first, second, shortcut) \
  norm " from=" in "; relu; upsample; " CONV(filters, "3", "1", first) "; " norm "; relu\n" \
  CONV(filters, "3", "1", second) " name=" block ".residual\n" \
  "upsample from=" in "; " CONV(filters, "1", "0", shortcut) " name=" block ".shortcut\n" \
  SUM(block, block ".shortcut")

/* ------------------------------------------------------------------ the blocks of spectral-norm discriminators */

#define SN_BODY(filters, init) \
  CONV(filters, "3", "1", init SPECTRAL) "; relu; " CONV(filters, "3", "1", init SPECTRAL)

/* At the image: 3x3, relu, 3x3, mean of 2x2; beside it mean, 1x1. */
#define SN_FIRST_BLOCK(block, filters, init) \
  "input image {size}\n" \
  SN_BODY(filters, init) "; average-pool kernel=2 name=" block ".residual\n" \
  "average-pool from=image kernel=2; " CONV(filters, "1", "0", GLOROT SPECTRAL) " name=" block ".shortcut\n" \
  SUM(block, block ".shortcut")

/* relu, 3x3, relu, 3x3, mean of 2x2; beside it 1x1, mean. */
#define SN_DOWN_BLOCK(block, in, filters, init) \
  "relu from=" in "; " SN_BODY(filters, init) "; average-pool kernel=2 name=" block ".residual\n" \
  CONV(filters, "1", "0", GLOROT SPECTRAL) " from=" in "; average-pool kernel=2 name=" block ".shortcut\n" \
  SUM(block, block ".shortcut")

/* The same at one size; it is added to what came in. */
#define SN_BLOCK(block, in, filters, init) \
  "relu from=" in "; " SN_BODY(filters, init) " name=" block ".residual\n" \
  SUM(block, in)

/* ------------------------------------------------------------------ sngan-32 */

#define CHAINER_NORM "batch-norm epsilon=2e-5"
#define SNGAN_UP(block, in) UP_BLOCK(block, in, "filters*2", CHAINER_NORM, GLOROT_2, GLOROT_2, GLOROT)

const struct preset preset_sngan_32 = {
  .name = "sngan-32",
  .help = "The ResNet for CIFAR-10 of Miyato et al. 2018 (pfnet-research/sngan_projection, "
          "configs/sn_cifar10_unconditional.yml): spectral norm in D, hinge loss, rates that fall to 0 within 50000 steps "
          "of G. height and width are multiples of 8.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={height/8*width/8*filters*2}" GLOROT "; reshape shape={height/8}x{width/8}x{filters*2} name=b0\n"
    SNGAN_UP("b1", "b0") SNGAN_UP("b2", "b1") SNGAN_UP("b3", "b2")
    CHAINER_NORM "; relu; " CONV("channels", "3", "1", GLOROT) "; tanh\n",
  .discriminator =
    SN_FIRST_BLOCK("b1", "filters", GLOROT_2)
    SN_DOWN_BLOCK("b2", "b1", "filters", GLOROT_2)
    SN_BLOCK("b3", "b2", "filters", GLOROT_2) SN_BLOCK("b4", "b3", "filters", GLOROT_2)
    "relu; global-sum-pool; dense units=1 bias=no init=glorot-uniform" SPECTRAL "\n",
  .loss = "hinge",
  .optimizer_d = "adam rate=2e-4 beta1=0 beta2=0.9 schedule=(linear steps=250000)",
  .optimizer_g = "adam rate=2e-4 beta1=0 beta2=0.9 schedule=(linear steps=50000)",
  .batch = 64, .latent = 128, .filters = 128, .multiple = 8, .d_steps = 5, .fresh_noise = 1, .size = "32x32x3",
};

/* ------------------------------------------------------------------ sagan-64 */

#define SAGAN_UP(block, in, filters) UP_BLOCK(block, in, filters, "batch-norm", GLOROT SPECTRAL, GLOROT SPECTRAL, GLOROT SPECTRAL)
#define ATTENTION "self-attention ratio=8 value-ratio=2 pool=yes init=glorot-uniform" SPECTRAL

const struct preset preset_sagan_64 = {
  .name = "sagan-64",
  .help = "Self-attention (Zhang et al. 2019; brain-research/self-attention-gan, generator_test and discriminator_test) on "
          "maps of half the image's size, without classes and with one stage less than theirs for 128x128: spectral norm in"
          " both networks, hinge loss, a rate for each. height and width are multiples of 16.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={height/16*width/16*filters*16}" GLOROT SPECTRAL "; reshape shape={height/16}x{width/16}x{filters*16} name=b0\n"
    SAGAN_UP("b1", "b0", "filters*16") SAGAN_UP("b2", "b1", "filters*8") SAGAN_UP("b3", "b2", "filters*4")
    ATTENTION " name=attention\n"
    SAGAN_UP("b4", "attention", "filters*2")
    "batch-norm; relu; " CONV("channels", "3", "1", GLOROT SPECTRAL) "; tanh\n",
  .discriminator =
    SN_FIRST_BLOCK("b1", "filters", GLOROT)
    ATTENTION " name=attention\n"
    SN_DOWN_BLOCK("b2", "attention", "filters*2", GLOROT) SN_DOWN_BLOCK("b3", "b2", "filters*4", GLOROT)
    SN_DOWN_BLOCK("b4", "b3", "filters*8", GLOROT)
    "relu from=b4; " SN_BODY("filters*16", GLOROT) " name=b5.residual\n"
    CONV("filters*16", "1", "0", GLOROT SPECTRAL) " from=b4 name=b5.shortcut\n"
    SUM("b5", "b5.shortcut")
    "relu; global-sum-pool; dense units=1" GLOROT SPECTRAL "\n",
  .loss = "hinge", .optimizer_d = "adam rate=4e-4 beta1=0", .optimizer_g = "adam rate=1e-4 beta1=0",
  .batch = 64, .latent = 128, .filters = 64, .multiple = 16, .d_steps = 1, .fresh_noise = 1, .size = "64x64x3",
};

/* ------------------------------------------------------------------ wgan-gp-64 */

#define NO_BIAS " init=(glorot-uniform gain=1.4142135623730951) bias=no"
#define WGAN_UP(block, in, filters) UP_BLOCK(block, in, filters, "batch-norm", NO_BIAS, GLOROT_2, GLOROT)
#define LAYER_NORM "group-norm groups=1"

/* norm, relu, 3x3, norm, relu, 3x3, mean of 2x2; beside it mean, 1x1. */
#define WGAN_DOWN(block, in, narrow, wide) \
  LAYER_NORM " from=" in "; relu; " CONV(narrow, "3", "1", NO_BIAS) "; " LAYER_NORM "; relu\n" \
  CONV(wide, "3", "1", GLOROT_2) "; average-pool kernel=2 name=" block ".residual\n" \
  "average-pool from=" in " kernel=2; " CONV(wide, "1", "0", GLOROT) " name=" block ".shortcut\n" \
  SUM(block, block ".shortcut")

const struct preset preset_wgan_gp_64 = {
  .name = "wgan-gp-64",
  .help = "The ResNet for 64x64 of Gulrajani et al. 2017 (igul222/improved_wgan_training, gan_64x64.py, GoodGenerator and "
          "GoodDiscriminator): gradient penalty, layer norm in D. height and width are multiples of 16.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={height/16*width/16*filters*8}" GLOROT "; reshape shape={height/16}x{width/16}x{filters*8} name=b0\n"
    WGAN_UP("b1", "b0", "filters*8") WGAN_UP("b2", "b1", "filters*4")
    WGAN_UP("b3", "b2", "filters*2") WGAN_UP("b4", "b3", "filters")
    "batch-norm; relu; " CONV("channels", "3", "1", GLOROT_2) "; tanh\n",
  .discriminator =
    "input image {size}\n"
    CONV("filters", "3", "1", GLOROT) " name=b0\n"
    WGAN_DOWN("b1", "b0", "filters", "filters*2") WGAN_DOWN("b2", "b1", "filters*2", "filters*4")
    WGAN_DOWN("b3", "b2", "filters*4", "filters*8") WGAN_DOWN("b4", "b3", "filters*8", "filters*8")
    "flatten; dense units=1" GLOROT "\n",
  .loss = "wasserstein", .penalty = "wgan-gp weight=10",
  .optimizer_d = "adam rate=1e-4 beta1=0 beta2=0.9", .optimizer_g = "adam rate=1e-4 beta1=0 beta2=0.9",
  .batch = 64, .latent = 128, .filters = 64, .multiple = 16, .d_steps = 5, .fresh_noise = 1, .size = "64x64x3",
};
