/* Presets of plain convolutions: the DCGAN of Radford et al. 2016 and what grew from it. */
#include "nn/presets.h"

/* ------------------------------------------------------------------ dcgan-28 */

#define KERAS "init=glorot-uniform bias-init=zeros"
#define KERAS_NORM "batch-norm epsilon=1e-3 momentum=0.01; leaky-relu slope=0.3\n"

const struct preset preset_dcgan_28 = {
  .name = "dcgan-28",
  .help = "The DCGAN of TensorFlow's tutorial (tensorflow/docs, tutorials/generative/dcgan), for MNIST and its like, with "
          "the defaults of Keras: leaky ReLU with slope 0.3, batch norm with epsilon 1e-3, Glorot's initial weights. height"
          " and width are multiples of 4.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={height/4*width/4*filters*4} bias=no init=glorot-uniform; " KERAS_NORM
    "reshape shape={height/4}x{width/4}x{filters*4}\n"
    "conv-transpose2d filters={filters*2} kernel=5 padding=same bias=no init=glorot-uniform; " KERAS_NORM
    "conv-transpose2d filters={filters} kernel=5 stride=2 padding=same bias=no init=glorot-uniform; " KERAS_NORM
    "conv-transpose2d filters={channels} kernel=5 stride=2 padding=same bias=no init=glorot-uniform; tanh\n",
  .discriminator =
    "input image {size}\n"
    "conv2d filters={filters} kernel=5 stride=2 padding=same " KERAS "; leaky-relu slope=0.3; dropout rate=0.3\n"
    "conv2d filters={filters*2} kernel=5 stride=2 padding=same " KERAS "; leaky-relu slope=0.3; dropout rate=0.3\n"
    "flatten; dense units=1 " KERAS "\n",
  .loss = "non-saturating", .optimizer_d = "adam rate=1e-4 epsilon=1e-7", .optimizer_g = "adam rate=1e-4 epsilon=1e-7",
  .batch = 256, .latent = 100, .filters = 64, .multiple = 4, .d_steps = 1, .size = "28x28x1",
};

/* ------------------------------------------------------------------ dcgan-32 */

#define DCGAN_INIT "init=(normal std=0.02)"
#define DCGAN_NORM "batch-norm init=(normal mean=1 std=0.02)"
#define PTGAN_UP(filters) \
  "upsample\n" \
  "conv2d filters={" filters "} kernel=3 padding=1 " DCGAN_INIT "; " DCGAN_NORM " epsilon=0.8; leaky-relu slope=0.2\n"
#define PTGAN_DOWN(filters) \
  "conv2d filters={" filters "} kernel=3 stride=2 padding=1 " DCGAN_INIT "; leaky-relu slope=0.2; dropout2d rate=0.25\n"
#define PTGAN_DOWN_NORM(filters) PTGAN_DOWN(filters) DCGAN_NORM " epsilon=0.8\n"

const struct preset preset_dcgan_32 = {
  .name = "dcgan-32",
  .help = "The DCGAN of PyTorch-GAN (eriklindernoren/PyTorch-GAN, implementations/dcgan/dcgan.py): nearest upsampling and "
          "3x3 convolutions, batch norm with epsilon 0.8 as there. (There G is updated before D.) height and width are "
          "multiples of 4.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={height/4*width/4*filters*8}; reshape shape={height/4}x{width/4}x{filters*8}; " DCGAN_NORM "\n"
    PTGAN_UP("filters*8") PTGAN_UP("filters*4")
    "conv2d filters={channels} kernel=3 padding=1 " DCGAN_INIT "; tanh\n",
  .discriminator =
    "input image {size}\n"
    PTGAN_DOWN("filters") PTGAN_DOWN_NORM("filters*2") PTGAN_DOWN_NORM("filters*4") PTGAN_DOWN_NORM("filters*8")
    "flatten; dense units=1\n",
  .loss = "non-saturating real=0.5 fake=0.5",
  .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5",
  .batch = 64, .latent = 100, .filters = 16, .multiple = 4, .d_steps = 1, .size = "32x32x1",
};

/* ------------------------------------------------------------------ dcgan-64, dcgan-128 */

#define UP_FROM_NOISE(filters, shape) \
  "input z {latent} noise=normal\n" \
  "reshape shape=1x1x{latent}\n" \
  "conv-transpose2d filters={" filters "} kernel=" shape " bias=no " DCGAN_INIT "; " DCGAN_NORM "; relu\n"
#define UP(filters) \
  "conv-transpose2d filters={" filters "} kernel=4 stride=2 padding=1 bias=no " DCGAN_INIT "; " DCGAN_NORM "; relu\n"
#define UP_TO_IMAGE "conv-transpose2d filters={channels} kernel=4 stride=2 padding=1 bias=no " DCGAN_INIT "; tanh\n"
#define DOWN_FROM_IMAGE \
  "input image {size}\n" \
  "conv2d filters={filters} kernel=4 stride=2 padding=1 bias=no " DCGAN_INIT "; leaky-relu slope=0.2\n"
#define DOWN(filters) \
  "conv2d filters={" filters "} kernel=4 stride=2 padding=1 bias=no " DCGAN_INIT "; " DCGAN_NORM "; leaky-relu slope=0.2\n"
#define DOWN_TO_SCORE(shape) "conv2d filters=1 kernel=" shape " bias=no " DCGAN_INIT "; flatten\n"

const struct preset preset_dcgan_64 = {
  .name = "dcgan-64",
  .help = "The DCGAN of Radford et al. 2016 as PyTorch's examples write it (pytorch/examples, dcgan/main.py): transposed "
          "4x4 convolutions of stride 2, batch norm in both networks. height and width are multiples of 16.",
  .generator =
    UP_FROM_NOISE("filters*8", "{height/16}x{width/16}") UP("filters*4") UP("filters*2") UP("filters") UP_TO_IMAGE,
  .discriminator =
    DOWN_FROM_IMAGE DOWN("filters*2") DOWN("filters*4") DOWN("filters*8") DOWN_TO_SCORE("{height/16}x{width/16}"),
  .loss = "non-saturating", .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5",
  .batch = 64, .latent = 100, .filters = 64, .multiple = 16, .d_steps = 1, .size = "64x64x3",
};

const struct preset preset_dcgan_128 = {
  .name = "dcgan-128",
  .help = "dcgan-64 with one stage more in each network (Radford et al. 2016; pytorch/examples, dcgan/main.py). height and "
          "width are multiples of 32.",
  .generator =
    UP_FROM_NOISE("filters*16", "{height/32}x{width/32}") UP("filters*8") UP("filters*4") UP("filters*2") UP("filters") UP_TO_IMAGE,
  .discriminator =
    DOWN_FROM_IMAGE DOWN("filters*2") DOWN("filters*4") DOWN("filters*8") DOWN("filters*16")
    DOWN_TO_SCORE("{height/32}x{width/32}"),
  .loss = "non-saturating", .optimizer_d = "adam rate=2e-4 beta1=0.5", .optimizer_g = "adam rate=2e-4 beta1=0.5",
  .batch = 64, .latent = 100, .filters = 64, .multiple = 32, .d_steps = 1, .size = "128x128x3",
};

/* ------------------------------------------------------------------ lsgan */

#define LSGAN_UP(filters, stride) \
  "conv-transpose2d filters={" filters "} kernel=3 stride=" stride " padding=same " DCGAN_INIT " bias-init=zeros\n" \
  "batch-norm; relu\n"
#define LSGAN_CONV(filters) \
  "conv2d filters={" filters "} kernel=5 stride=2 padding=same init=(truncated-normal std=0.02) bias-init=zeros"
#define LSGAN_DOWN(filters) LSGAN_CONV(filters) "; batch-norm; leaky-relu slope=0.2\n"

const struct preset preset_lsgan = {
  .name = "lsgan",
  .help = "Least squares, with the networks for scenes of Mao et al. 2017 as their authors write them (xudonmao/LSGAN, "
          "vgg.py and train_lsun.py; there the loss sums over the batch). height and width are multiples of 16.",
  .generator =
    "input z {latent} noise=uniform\n"
    "dense units={height/16*width/16*filters*4} " DCGAN_INIT " bias-init=zeros\n"
    "reshape shape={height/16}x{width/16}x{filters*4}; batch-norm; relu\n"
    LSGAN_UP("filters*4", "2") LSGAN_UP("filters*4", "1") LSGAN_UP("filters*4", "2") LSGAN_UP("filters*4", "1")
    LSGAN_UP("filters*2", "2") LSGAN_UP("filters", "2")
    "conv-transpose2d filters={channels} kernel=3 padding=same " DCGAN_INIT " bias-init=zeros; tanh\n",
  .discriminator =
    "input image {size}\n"
    LSGAN_CONV("filters") "; leaky-relu slope=0.2\n"
    LSGAN_DOWN("filters*2") LSGAN_DOWN("filters*4") LSGAN_DOWN("filters*8")
    "flatten; dense units=1 " DCGAN_INIT " bias-init=zeros\n",
  .loss = "least-squares", .optimizer_d = "adam rate=1e-3 beta1=0.5", .optimizer_g = "adam rate=1e-3 beta1=0.5",
  .batch = 64, .latent = 1024, .filters = 64, .multiple = 16, .d_steps = 1, .size = "112x112x3",
};

/* ------------------------------------------------------------------ tfgan-mnist */

#define TFGAN_NORM "batch-norm epsilon=1e-3 momentum=0.001"
#define TFGAN_UP(filters) \
  "conv-transpose2d filters={" filters "} kernel=4 stride=2 padding=same " KERAS "; " TFGAN_NORM "; relu\n"
#define TFGAN_DOWN(filters) \
  "conv2d filters={" filters "} kernel=4 stride=2 padding=same " KERAS " spectral-norm=yes; leaky-relu slope=0.01\n"

const struct preset preset_tfgan_mnist = {
  .name = "tfgan-mnist",
  .help = "The unconditional GAN of TF-GAN's MNIST example (tensorflow/gan, examples/mnist/networks.py and train_lib.py): "
          "Wasserstein loss, spectral norm in D. Its L2 penalty of 2.5e-5 is here the optimizer's decay, on all parameters."
          " height and width are multiples of 4.",
  .generator =
    "input z {latent} noise=normal\n"
    "dense units={filters*32} bias=no init=glorot-uniform; " TFGAN_NORM "; relu\n"
    "dense units={height/4*width/4*filters*4} bias=no init=glorot-uniform; " TFGAN_NORM "; relu\n"
    "reshape shape={height/4}x{width/4}x{filters*4}\n"
    TFGAN_UP("filters*2") TFGAN_UP("filters")
    "conv2d filters={channels} kernel=4 padding=same " KERAS "; tanh\n",
  .discriminator =
    "input image {size}\n"
    TFGAN_DOWN("filters*2") TFGAN_DOWN("filters*4")
    "flatten; dense units={filters*32} bias=no init=glorot-uniform spectral-norm=yes; " TFGAN_NORM "; leaky-relu slope=0.01\n"
    "dense units=1 " KERAS "\n",
  .loss = "wasserstein", .optimizer_d = "adam rate=1e-4 beta1=0.5 decay=5e-5", .optimizer_g = "adam rate=1e-3 beta1=0.5 decay=5e-5",
  .batch = 32, .latent = 64, .filters = 32, .multiple = 4, .d_steps = 1, .size = "28x28x1",
};
