/* A program of somebody else's, built against the installed library: C99 and C++98 alike. */
#include <gan.h>
#include <stdio.h>

static int check(gan_context *context, gan_status status, const char *doing) {
  char text[500];
  if (status == GAN_OK) return 1;
  gan_context_error(context, text, sizeof text, NULL);
  printf("%s: %s: %s\n", doing, gan_status_text(status), text);
  return 0;
}

static int sample(gan_context *context, gan_network *network) {
  float out[3 * 2];
  gan_sampler *sampler = NULL;
  int ok;
  gan_network_build(network, "input z 4 noise=normal; dense units=8; relu; dense units=2; tanh");
  ok = check(context, gan_sampler_create(network, NULL, &sampler), "gan_sampler_create") &&
       check(context, gan_sampler_draw(sampler, 0, 3, out), "gan_sampler_draw");
  if (ok) printf("%g %g\n", out[0], out[1]);
  gan_sampler_free(sampler);
  return ok;
}

int main(void) {
  gan_context *context = NULL;
  gan_network *network = NULL;
  int ok;
  if (gan_version() != GAN_VERSION_MAJOR * 10000 + GAN_VERSION_MINOR * 100 + GAN_VERSION_PATCH) return 1;
  ok = check(NULL, gan_context_create(NULL, &context), "gan_context_create") &&
       check(context, gan_network_create(context, "G", &network), "gan_network_create") && sample(context, network);
  gan_network_free(network);
  gan_context_free(context);
  return ok ? 0 : 1;
}
