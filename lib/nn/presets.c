/* The presets themselves. */
#include "nn/presets.h"

#include "nn/names.h"

static const struct preset presets[] = {
  {
    .name = "article",
    .help = "Three dense layers a network, ReLU, sigmoid cross-entropy on logits, Adam with its default betas: the GAN of "
            "tutorials, after Goodfellow et al. 2014.",
    .generator =
      "input z {latent} noise=normal\n"
      "dense units=128; relu\n"
      "dense units=256; relu\n"
      "dense units={pixels}; tanh\n"
      "reshape shape={size}\n",
    .discriminator =
      "input image {size}\n"
      "flatten\n"
      "dense units=256; relu\n"
      "dense units=128; relu\n"
      "dense units=1\n",
    .loss = "non-saturating", .optimizer_d = "adam rate=2e-4", .optimizer_g = "adam rate=2e-4",
    .batch = 64, .latent = 100, .d_steps = 1, .size = "28x28x1",
  },
  {
    .name = "ptgan",
    .help = "The dense GAN of PyTorch-GAN (eriklindernoren/PyTorch-GAN, implementations/gan/gan.py), batch norm with epsilon 0.8 "
            "as there.",
    .generator =
      "input z {latent} noise=normal\n"
      "dense units=128; leaky-relu slope=0.2\n"
      "dense units=256; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
      "dense units=512; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
      "dense units=1024; batch-norm epsilon=0.8; leaky-relu slope=0.2\n"
      "dense units={pixels}; tanh\n"
      "reshape shape={size}\n",
    .discriminator =
      "input image {size}\n"
      "flatten\n"
      "dense units=512; leaky-relu slope=0.2\n"
      "dense units=256; leaky-relu slope=0.2\n"
      "dense units=1\n",
    .loss = "non-saturating", .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5",
    .batch = 64, .latent = 100, .d_steps = 1, .size = "28x28x1",
  },
  {
    .name = "ring",
    .help = "Small networks for points in the plane, such as the ring of eight Gaussians (Metz et al. 2017).",
    .generator =
      "input z {latent} noise=normal\n"
      "dense units=128; relu\n"
      "dense units=128; relu\n"
      "dense units={pixels}\n"
      "reshape shape={size}\n",
    .discriminator =
      "input point {size}\n"
      "flatten\n"
      "dense units=128; leaky-relu slope=0.2\n"
      "dense units=128; leaky-relu slope=0.2\n"
      "dense units=1\n",
    .loss = "non-saturating", .optimizer_d = "adam rate=1e-3 beta1=0.5", .optimizer_g = "adam rate=1e-3 beta1=0.5",
    .batch = 256, .latent = 16, .d_steps = 1, .size = "2",
  },
  {
    .name = "clothes",
    .help = "Dense networks for small pictures such as Fashion-MNIST, which learn all kinds within a minute: batch norm in G, a gradient "
            "penalty around 0 in D (Thanh-Tung et al. 2019), averaged generator.",
    .generator =
      "input z {latent} noise=normal\n"
      "dense units=256; batch-norm; leaky-relu slope=0.2\n"
      "dense units=512; batch-norm; leaky-relu slope=0.2\n"
      "dense units={pixels}; tanh\n"
      "reshape shape={size}\n",
    .discriminator =
      "input image {size}\n"
      "flatten\n"
      "dense units=512; leaky-relu slope=0.2\n"
      "dense units=256; leaky-relu slope=0.2\n"
      "dense units=1\n",
    .loss = "non-saturating", .penalty = "wgan-gp weight=1 target=0",
    .optimizer_d = "adam rate=1e-3 beta1=0 beta2=0.99", .optimizer_g = "adam rate=1e-3 beta1=0 beta2=0.99",
    .batch = 64, .latent = 64, .d_steps = 1, .ema = 0.999, .size = "28x28x1",
  },
};

const struct option preset_options[] = {
  {"latent", OPTION_INT, 0, 1e6, "0", "width of the noise; 0: the preset's own"},
  {"size", OPTION_TEXT, 0, 0, "", "of a sample, \"28x28x1\"; empty: the preset's own"},
};

const int32_t preset_option_count = 2;

int32_t preset_count(void) { return (int32_t)(sizeof presets / sizeof *presets); }

const struct preset *preset_at(int32_t index) { return index >= 0 && index < preset_count() ? &presets[index] : NULL; }

const struct preset *preset_find(const char *name) {
  for (int32_t i = 0; i < preset_count(); i++)
    if (names_match(presets[i].name, name)) return &presets[i];
  return NULL;
}
