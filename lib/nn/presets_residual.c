/* Presets of residual blocks. */
#include "nn/presets.h"

#define GLOROT " init=glorot-uniform bias-init=zeros"
#define GLOROT_2 " init=(glorot-uniform gain=1.4142135623730951) bias-init=zeros" /* where a ReLU stands in front */
#define GLOROT_BLOCK GLOROT_2 " shortcut-init=glorot-uniform"
#define SPECTRAL " spectral-norm=yes"
#define BLOCK(filters, resample, options) "residual-block filters={" filters "} resample=" resample options "\n"
#define TO_IMAGE(init) "relu; conv2d filters={channels} kernel=3 padding=1" init "; tanh\n"

/* Noise to a map of 1/scale of the image. */
#define FROM_NOISE(scale, filters, options) \
  "input z {latent} noise=normal\n" \
  "dense units={height/" scale "*width/" scale "*" filters "}" GLOROT options "\n" \
  "reshape shape={height/" scale "}x{width/" scale "}x{" filters "}\n"

/* ------------------------------------------------------------------ sngan-32 */

#define SNGAN_NORM "batch-norm epsilon=2e-5"
#define SNGAN_UP BLOCK("filters*2", "up", " norm=(" SNGAN_NORM ")" GLOROT_BLOCK)

const struct preset preset_sngan_32 = {
  .name = "sngan-32",
  .help = "The ResNet for CIFAR-10 of Miyato et al. 2018 (pfnet-research/sngan_projection, configs/sn_cifar10_unconditional.yml): "
          "spectral norm in D, hinge loss, rates that fall to 0 within 50000 steps of G. height and width are multiples of 8.",
  .generator = FROM_NOISE("8", "filters*2", "") SNGAN_UP SNGAN_UP SNGAN_UP SNGAN_NORM "; " TO_IMAGE(GLOROT),
  .discriminator =
    "input image {size}\n"
    BLOCK("filters", "down", " first=yes" GLOROT_BLOCK SPECTRAL) BLOCK("filters", "down", GLOROT_BLOCK SPECTRAL)
    BLOCK("filters", "none", GLOROT_BLOCK SPECTRAL) BLOCK("filters", "none", GLOROT_BLOCK SPECTRAL)
    "relu; global-sum-pool; dense units=1 bias=no init=glorot-uniform" SPECTRAL "\n",
  .loss = "hinge",
  .optimizer_d = "adam rate=2e-4 beta1=0 beta2=0.9 schedule=(linear steps=250000)",
  .optimizer_g = "adam rate=2e-4 beta1=0 beta2=0.9 schedule=(linear steps=50000)",
  .batch = 64, .latent = 128, .filters = 128, .multiple = 8, .d_steps = 5, .fresh_noise = 1, .size = "32x32x3",
};

/* ------------------------------------------------------------------ sagan-64 */

#define SAGAN_UP(filters) BLOCK(filters, "up", " norm=batch-norm" GLOROT SPECTRAL)
#define SAGAN_DOWN(filters) BLOCK(filters, "down", " hidden={" filters "}" GLOROT SPECTRAL)
#define ATTENTION "self-attention ratio=8 value-ratio=2 pool=yes init=glorot-uniform" SPECTRAL "\n"

const struct preset preset_sagan_64 = {
  .name = "sagan-64",
  .help = "Self-attention (Zhang et al. 2019; brain-research/self-attention-gan, generator_test and discriminator_test) on maps of "
          "half the image's size, without classes and with one stage less than theirs for 128x128: spectral norm in both networks, "
          "hinge loss, a rate for each. height and width are multiples of 16.",
  .generator =
    FROM_NOISE("16", "filters*16", SPECTRAL) SAGAN_UP("filters*16") SAGAN_UP("filters*8") SAGAN_UP("filters*4") ATTENTION
    SAGAN_UP("filters*2") "batch-norm; " TO_IMAGE(GLOROT SPECTRAL),
  .discriminator =
    "input image {size}\n"
    BLOCK("filters", "down", " first=yes" GLOROT SPECTRAL) ATTENTION
    SAGAN_DOWN("filters*2") SAGAN_DOWN("filters*4") SAGAN_DOWN("filters*8") BLOCK("filters*16", "none", GLOROT SPECTRAL)
    "relu; global-sum-pool; dense units=1" GLOROT SPECTRAL "\n",
  .loss = "hinge", .optimizer_d = "adam rate=4e-4 beta1=0", .optimizer_g = "adam rate=1e-4 beta1=0",
  .batch = 64, .latent = 128, .filters = 64, .multiple = 16, .d_steps = 1, .fresh_noise = 1, .size = "64x64x3",
};

/* ------------------------------------------------------------------ wgan-gp-64 */

#define WGAN_UP(filters) BLOCK(filters, "up", " hidden-bias=no norm=batch-norm" GLOROT_BLOCK)
#define WGAN_DOWN(filters) BLOCK(filters, "down", " hidden-bias=no norm=(group-norm groups=1)" GLOROT_BLOCK)

const struct preset preset_wgan_gp_64 = {
  .name = "wgan-gp-64",
  .help = "The ResNet for 64x64 of Gulrajani et al. 2017 (igul222/improved_wgan_training, gan_64x64.py, GoodGenerator and "
          "GoodDiscriminator): gradient penalty, layer norm in D. height and width are multiples of 16.",
  .generator =
    FROM_NOISE("16", "filters*8", "") WGAN_UP("filters*8") WGAN_UP("filters*4") WGAN_UP("filters*2") WGAN_UP("filters")
    "batch-norm; " TO_IMAGE(GLOROT_2),
  .discriminator =
    "input image {size}\n"
    "conv2d filters={filters} kernel=3 padding=1" GLOROT "\n"
    WGAN_DOWN("filters*2") WGAN_DOWN("filters*4") WGAN_DOWN("filters*8") WGAN_DOWN("filters*8")
    "flatten; dense units=1" GLOROT "\n",
  .loss = "wasserstein", .penalty = "wgan-gp weight=10",
  .optimizer_d = "adam rate=1e-4 beta1=0 beta2=0.9", .optimizer_g = "adam rate=1e-4 beta1=0 beta2=0.9",
  .batch = 64, .latent = 128, .filters = 64, .multiple = 16, .d_steps = 5, .fresh_noise = 1, .size = "64x64x3",
};
