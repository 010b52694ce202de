/* What the layers that normalise share. */
#ifndef GAN_NN_NORM_H
#define GAN_NN_NORM_H

#include "nn/layer.h"

#define NORM_EPSILON(fallback) {"epsilon", OPTION_NUMBER, 1e-30, 1e3, fallback, "added to the variance"}

/* Mean and biased variance of x over some axes, which stay with size 1 if keep; `centred` is x - mean. */
struct moments { gan_node *mean, *variance, *centred; };
struct moments norm_moments(gan_node *x, int32_t count, const int32_t *axes, int32_t keep);

/* NULL if x is f32 with at least `rank` axes; else the error node. */
gan_node *norm_refuse(struct gan_layer_call *c, const gan_node *x, int32_t rank);

/* 1 / sqrt(variance + epsilon), by the layer's option. */
gan_node *norm_scale(const struct gan_layer_call *c, gan_node *variance);

/* gamma * x + beta; both NULL: x. */
gan_node *norm_affine(gan_node *x, gan_node *gamma, gan_node *beta);

/* The axes between the batch and the last one: 1 .. rank - 2; how many. */
int32_t norm_places(const gan_node *x, int32_t axes[GAN_MAX_RANK]);

/* Each channel of each sample to mean 0 and variance 1 over its places: (batch, .., channels). */
gan_node *norm_instances(struct gan_layer_call *c, gan_node *x);

/* (batch, columns) as it multiplies x: (batch, 1, .., columns). */
gan_node *norm_per_sample(gan_node *value, const gan_node *x);

/* Batch norm of the columns of x by the layer's options epsilon and momentum and its state running_mean and running_var. gamma and
 * beta broadcast to x; both NULL: none. Fails the graph and returns its error node if x does not fit. */
gan_node *norm_batch(struct gan_layer_call *c, gan_node *x, gan_node *gamma, gan_node *beta);

#endif
