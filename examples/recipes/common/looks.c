/* Other looks of pictures, as nodes: domains to translate between. */
#include "parts.h"

/* |differences of neighbours along an axis|, (n,h,w,1); 0 at the far border. */
static gan_node *steepness(gan_node *pictures, int32_t axis) {
  int64_t size = gan_node_size(pictures, axis);
  return gan_pad(gan_abs(gan_sub(gan_slice(pictures, axis, 1, size), gan_slice(pictures, axis, 0, size - 1))), axis, 0, 1);
}

gan_node *edges(gan_node *pictures) {
  const double steep = 0.503; /* no multiple of the 2/255 between two greys, so that nothing lies in the middle */
  return gan_sign(gan_shift(gan_add(steepness(pictures, 1), steepness(pictures, 2)), -steep));
}

gan_node *sharpness(gan_node *pictures) {
  return gan_mean(gan_add(steepness(pictures, 1), steepness(pictures, 2)));
}

gan_node *blurred(gan_node *pictures) {
  return gan_pool(pictures, "average kernel=5 stride=1 padding=2 count-include-pad=no");
}

gan_node *mean_of(gan_node *pictures) {
  const int32_t batch = 0;
  int64_t shape[4];
  for (int32_t i = 0; i < 4; i++) shape[i] = gan_node_size(pictures, i);
  return gan_broadcast(gan_mean_axes(pictures, 1, &batch, 1), 4, shape);
}

gan_node *coarse(gan_node *pictures) {
  return gan_pool(pictures, "average kernel=4");
}

/* 10 log10 of the squared range, 2^2, over the mean squared error. */
gan_node *psnr(gan_node *pictures, gan_node *truth) {
  return gan_scale(gan_log(gan_scale(gan_l2(pictures, truth), 0.25)), -10 / 2.302585092994046);
}

gan_node *coloured(gan_node *pictures, gan_node *color) {
  gan_node *light = gan_scale(gan_shift(pictures, 1), 0.5);
  gan_node *tint = gan_reshape(color, 4, (int64_t[]){gan_node_size(color, 0), 1, 1, 3});
  return gan_shift(gan_scale(gan_mul(light, tint), 2), -1);
}

gan_node *tinted(gan_node *pictures, double red, double green, double blue) {
  gan_graph *graph = gan_node_graph(pictures);
  const int64_t one[] = {1, 1};
  gan_node *color[] = {gan_constant(graph, red), gan_constant(graph, green), gan_constant(graph, blue)};
  for (int i = 0; i < 3; i++) color[i] = gan_broadcast(color[i], 2, one);
  return coloured(pictures, gan_concat(3, color, 1));
}
