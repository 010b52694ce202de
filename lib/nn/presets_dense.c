/* Presets of dense layers. */
#include "nn/presets.h"

#define LEAKY "leaky-relu slope=0.2"
#define PICTURE "dense units={pixels}; tanh\nreshape shape={size}\n"
#define DISCRIMINATOR(input, first, second, activation) \
  "input " input " {size}\nflatten\ndense units=" first "; " activation "\ndense units=" second "; " activation "\ndense units=1\n"

const struct preset preset_article = {
  .name = "article",
  .help = "Three dense layers a network, ReLU, sigmoid cross-entropy on logits, Adam with its default betas: the GAN of "
          "tutorials, after Goodfellow et al. 2014.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units=128; relu\n"
    "dense units=256; relu\n"
    PICTURE,
  .discriminator = DISCRIMINATOR("image", "256", "128", "relu"),
  .loss = "non-saturating", .optimizer_d = "adam rate=2e-4", .optimizer_g = "adam rate=2e-4",
  .batch = 64, .latent = 100, .d_steps = 1, .size = "28x28x1",
};

const struct preset preset_ptgan = {
  .name = "ptgan",
  .help = "The dense GAN of PyTorch-GAN (eriklindernoren/PyTorch-GAN, implementations/gan/gan.py), batch norm with epsilon "
          "0.8 as there.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units=128; leaky-relu slope=0.2\n"
    "dense units=256; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
    "dense units=512; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
    "dense units=1024; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
    PICTURE,
  .discriminator = DISCRIMINATOR("image", "512", "256", LEAKY),
  .loss = "non-saturating", .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5",
  .batch = 64, .latent = 100, .d_steps = 1, .size = "28x28x1",
};

const struct preset preset_ring = {
  .name = "ring",
  .help = "Small networks for points in the plane, such as the ring of eight Gaussians (Metz et al. 2017).",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units=128; relu\n"
    "dense units=128; relu\n"
    "dense units={pixels}\n"
    "reshape shape={size}\n",
  .discriminator = DISCRIMINATOR("point", "128", "128", LEAKY),
  .loss = "non-saturating", .optimizer_d = "adam rate=1e-3 beta1=0.5", .optimizer_g = "adam rate=1e-3 beta1=0.5",
  .batch = 256, .latent = 16, .d_steps = 1, .size = "2",
};

const struct preset preset_clothes = {
  .name = "clothes",
  .help = "Dense networks for small pictures such as Fashion-MNIST, which learn all kinds within a minute: batch norm in G,"
          " a gradient penalty around 0 in D (Thanh-Tung et al. 2019), averaged generator.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units=256; batch-norm; leaky-relu slope=0.2\n"
    "dense units=512; batch-norm; leaky-relu slope=0.2\n"
    PICTURE,
  .discriminator = DISCRIMINATOR("image", "512", "256", LEAKY),
  .loss = "non-saturating", .penalty = "wgan-gp weight=1 target=0",
  .optimizer_d = "adam rate=1e-3 beta1=0 beta2=0.99", .optimizer_g = "adam rate=1e-3 beta1=0 beta2=0.99",
  .batch = 64, .latent = 64, .d_steps = 1, .ema = 0.999, .size = "28x28x1",
};
