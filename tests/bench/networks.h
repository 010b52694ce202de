/* Parts of networks that several cases have, as lines of gan_network_build. */
#ifndef BENCH_NETWORKS_H
#define BENCH_NETWORKS_H

#define LEAKY_2 "leaky-relu slope=0.2; "
#define LEAKY_3 "leaky-relu slope=0.3; "

/* PyTorch-GAN's gan: dense layers with a batch norm that hardly divides. */
#define PTGAN_BLOCK(units) "dense units=" units "; batch-norm epsilon=0.8; " LEAKY_2
#define PTGAN_UP "dense units=128; " LEAKY_2 PTGAN_BLOCK("256") PTGAN_BLOCK("512") PTGAN_BLOCK("1024")

/* PyTorch-GAN's dcgan, which its acgan and infogan share: from a code to an image, and from an image to 512 features. */
#define DCGAN_32_UP                                                                                                       \
  "dense units=8192; reshape shape=8x8x128; batch-norm; upsample; "                                                        \
  "conv2d filters=128 kernel=3 padding=1; batch-norm epsilon=0.8; " LEAKY_2 "upsample; "                                   \
  "conv2d filters=64 kernel=3 padding=1; batch-norm epsilon=0.8; " LEAKY_2 "conv2d filters=1 kernel=3 padding=1; tanh"
#define DCGAN_32_BLOCK(filters) "conv2d filters=" filters " kernel=3 stride=2 padding=1; " LEAKY_2 "dropout2d rate=0.25; "
#define DCGAN_32_DOWN                                                                                                     \
  DCGAN_32_BLOCK("16") DCGAN_32_BLOCK("32") "batch-norm epsilon=0.8; " DCGAN_32_BLOCK("64") "batch-norm epsilon=0.8; "      \
    DCGAN_32_BLOCK("128") "batch-norm epsilon=0.8; flatten name=features; "

#endif
