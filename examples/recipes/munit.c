/* munit: a picture is content and style. Grey clothes and clothes of all colours, no pairs: the content of a grey picture and a
 * style, drawn by chance or taken off a coloured picture, make a coloured one. What was put in has to be read off again:
 * content, style, and each picture out of its own two. Styles enter by adaptive instance norm. Huang et al. 2018. */
#include "common/recipe.h"

const struct recipe_card recipe_card = {
  .name = "munit",
  .paper = "Huang et al. 2018, Multimodal Unsupervised Image-to-Image Translation",
  .does = "Gives clothes the style of others. Rows: grey clothes, coloured clothes, the former in the style of the latter,\n"
          "the truth, two styles by chance. Figure: L1 distance to the truth, beside that with the style of another\n"
          "picture.",
  .steps = 1000, .batch = 32,
};

#define CONTENT(channels) \
  "input x 28x28x" channels "\n" \
  "conv2d filters=16 kernel=4 stride=2 padding=1; instance-norm; relu\n" \
  "conv2d filters=32 kernel=4 stride=2 padding=1; instance-norm; relu\n"

#define STYLE(channels) \
  "input x 28x28x" channels "\n" \
  "conv2d filters=16 kernel=4 stride=2 padding=1; relu; conv2d filters=32 kernel=4 stride=2 padding=1; relu\n" \
  "global-average-pool; dense units=4\n"

#define DECODER(channels) \
  "input content 7x7x32\n" \
  "input style 4 noise=normal\n" \
  "dense units=32 from=style; relu; dense units=32; relu name=way\n" \
  "conv2d filters=32 kernel=3 padding=1 from=content name=x1; adain from=x1,way; relu\n" \
  "conv2d filters=32 kernel=3 padding=1 name=x2; adain from=x2,way; relu\n" \
  "conv-transpose2d filters=16 kernel=4 stride=2 padding=1; relu\n" \
  "conv-transpose2d filters=" channels " kernel=4 stride=2 padding=1; tanh\n"

#define JUDGE(channels) \
  "input x 28x28x" channels "\n" \
  "conv2d filters=16 kernel=4 stride=2 padding=1; leaky-relu slope=0.2; conv2d filters=32 kernel=4 stride=2 padding=1\n" \
  "leaky-relu slope=0.2; conv2d filters=1 kernel=3 padding=1\n"

struct domain {
  gan_network *content, *style, *decoder, *judge;
  gan_node *x, *c, *s, *drawn, *made; /* a batch, its content and style; a style by chance, and with it the other's content */
};

static struct domain make_domain(struct recipe *r, const char *const names[4], const char *const lines[4]) {
  gan_network *networks[4];
  for (int i = 0; i < 4; i++) networks[i] = make_network(r, names[i], lines[i]);
  return (struct domain){.content = networks[0], .style = networks[1], .decoder = networks[2], .judge = networks[3]};
}

static void look(struct domain *d, gan_node *x) {
  d->x = x;
  d->c = gan_apply(d->content, x);
  d->s = gan_apply(d->style, x);
  d->drawn = gan_noise(gan_node_graph(x), d->decoder, "style");
}

static gan_node *judged(const struct domain *d, gan_loss *loss) {
  return gan_loss_discriminator(loss, gan_apply(d->judge, d->x), gan_apply(d->judge, d->made));
}

/* What a domain asks of the picture that was made for it from the other's content, and of its own picture. */
static gan_node *lost(const struct domain *d, const struct domain *other, gan_loss *loss) {
  gan_node *fooled = gan_loss_generator(loss, NULL, gan_apply(d->judge, d->made));
  gan_node *own = gan_l1(gan_apply2(d->decoder, d->c, d->s), d->x);
  gan_node *content = gan_l1(gan_apply(d->content, d->made), other->c), *style = gan_l1(gan_apply(d->style, d->made), d->drawn);
  return TOTAL({1, fooled}, {10, own}, {1, content}, {1, style});
}

static gan_node *in_all_colors(gan_node *pictures, gan_node **color) {
  *color = gan_random(gan_node_graph(pictures), "color", "uniform", 2, (int64_t[]){-1, 3});
  return coloured(pictures, *color);
}

void recipe_play(struct recipe *r) {
  const char *const names_a[] = {"content-A", "style-A", "G-A", "D-A"}, *const names_b[] = {"content-B", "style-B", "G-B", "D-B"};
  const char *const lines_a[] = {CONTENT("1"), STYLE("1"), DECODER("1"), JUDGE("1")};
  const char *const lines_b[] = {CONTENT("3"), STYLE("3"), DECODER("3"), JUDGE("3")};
  struct domain a = make_domain(r, names_a, lines_a), b = make_domain(r, names_b, lines_b);
  gan_optimizer *g = make_optimizer_of(r, "g", "adam rate=1e-3 beta1=0.5",
                                       NETWORKS(a.decoder, a.content, a.style, b.content, b.style, b.decoder));
  gan_optimizer *d = make_optimizer_of(r, "d", "adam rate=5e-4 beta1=0.5", NETWORKS(a.judge, b.judge));
  gan_loss *loss = make_loss(r, "least-squares");
  gan_node *color;

  gan_graph *step = make_step(r, "train");
  look(&a, gan_data_node(step, clothes_half(r, 0), "image"));
  look(&b, in_all_colors(gan_data_node(step, clothes_half(r, 1), "image"), &color));
  a.made = gan_apply2(a.decoder, b.c, a.drawn);
  b.made = gan_apply2(b.decoder, a.c, b.drawn);
  gan_phase(step, "D");
  gan_minimize(d, TOTAL({1, judged(&a, loss)}, {1, judged(&b, loss)}));
  gan_phase(step, "G");
  gan_minimize(g, TOTAL({1, lost(&a, &b, loss)}, {1, lost(&b, &a, loss)}));

  gan_graph *test = make_step(r, "test");
  gan_node *grey = gan_data_node(test, held_out(r), "image");
  gan_node *example = in_all_colors(gan_data_node(test, clothes_half(r, 1), "image"), &color);
  gan_node *content = gan_evaluate(a.content, grey), *style = gan_evaluate(b.style, example), *truth = coloured(grey, color);
  gan_node *styled = gan_evaluate2(b.decoder, content, style);
  int64_t n = gan_node_size(grey, 0);
  gan_output(gan_l1(styled, truth), "styled");
  gan_output(gan_l1(gan_slice(styled, 0, 1, n), coloured(gan_slice(grey, 0, 1, n), gan_slice(color, 0, 0, n - 1))), "another");
  gan_node *chance = gan_evaluate2(b.decoder, content, gan_noise(test, b.decoder, "style"));
  gan_node *another = gan_evaluate2(b.decoder, content, gan_random_like(style, "chance", "normal"));
  show_rows(r, "test", NODES(grey, example, styled, truth, chance, another));

  train(r, "train", recipe_steps(r));
  figure_below(r, "l1", measure(r, "test", "styled"), "another style", measure(r, "test", "another"));
}
