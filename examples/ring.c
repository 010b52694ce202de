/* ring: the smallest complete program. A generator learns eight Gaussians on a ring; the terminal shows where its points fall. */
#include <gan.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MODES = 8, POINTS = 8192, SHOWN = 4000, COLUMNS = 64, ROWS = 32 };
static const double SPREAD = 0.05; /* standard deviation of each Gaussian; the ring has radius 1 */

static float points[POINTS][2], samples[SHOWN][2];

static double center(int mode, int axis) {
  double angle = 2 * 3.14159265358979 * mode / MODES;
  return axis ? sin(angle) : cos(angle);
}

/* points arrives filled with normal noise */
static void make_ring(void) {
  for (int i = 0; i < POINTS; i++) {
    for (int axis = 0; axis < 2; axis++) points[i][axis] = (float)(center(i % MODES, axis) + SPREAD * points[i][axis]);
  }
}

static void draw(void) {
  char picture[ROWS][COLUMNS + 1];
  memset(picture, ' ', sizeof picture);
  for (int i = 0; i < SHOWN; i++) {
    int column = (int)floor((samples[i][0] + 1.3) / 2.6 * COLUMNS), row = (int)floor((1.3 - samples[i][1]) / 2.6 * ROWS);
    if (column < 0 || column >= COLUMNS || row < 0 || row >= ROWS) continue;
    char *cell = &picture[row][column];
    *cell = *cell == ' ' ? '.' : *cell == '.' ? 'o' : '@';
  }
  for (int row = 0; row < ROWS; row++) printf("%.*s\n", COLUMNS, picture[row]);
}

/* Points near a Gaussian's centre, and how many centres have at least a fortieth of all points. */
static void judge(void) {
  int near = 0, at[MODES] = {0}, covered = 0;
  for (int i = 0; i < SHOWN; i++) {
    for (int mode = 0; mode < MODES; mode++) {
      if (hypot(samples[i][0] - center(mode, 0), samples[i][1] - center(mode, 1)) <= 3 * SPREAD) near++, at[mode]++;
    }
  }
  for (int mode = 0; mode < MODES; mode++) covered += at[mode] >= SHOWN / 40;
  printf("%d of %d modes covered, %.1f %% of the points within three standard deviations of one\n", covered, MODES,
         100.0 * near / SHOWN);
}

static int32_t show(void *user, gan_trainer *trainer, const gan_progress *p) {
  (void)user;
  (void)trainer;
  fprintf(stderr, "\rstep %5d of %d  loss D %.3f G %.3f  ", (int)p->step, (int)p->steps, p->loss_d, p->loss_g);
  return 0;
}

static int help(const char *word) {
  puts("usage: ring\n\nTrains a generator on eight Gaussians on a ring for a few seconds and draws its points.");
  return strcmp(word, "--help") != 0;
}

int main(int argc, char **argv) {
  gan_context *context = NULL;
  gan_tensor *ring = NULL;
  gan_data *data = NULL;
  gan_network *g = NULL, *d = NULL;
  gan_trainer *trainer = NULL;
  char text[500];

  if (argc > 1) return help(argv[1]);
  gan_context_create(NULL, &context);
  gan_tensor_wrap(context, GAN_F32, 2, (const int64_t[]){POINTS, 2}, points, NULL, NULL, &ring);
  gan_tensor_random(ring, "normal", 1);
  make_ring();
  gan_data_create(context, &data);
  gan_data_add(data, "point", ring, NULL);

  gan_network_create(context, "G", &g);
  gan_network_build(g, "input z 8 noise=normal; dense units=128; relu; dense units=128; relu; dense units=2");
  gan_network_create(context, "D", &d);
  gan_network_build(d, "input point 2; dense units=128; relu; dense units=128; relu; dense units=1");

  gan_trainer_config config;
  gan_trainer_config_init(&config, sizeof config);
  config.batch = 128;
  config.steps = 6000;
  config.penalty = "wgan-gp weight=0.05 target=0";
  config.optimizer_d = config.optimizer_g = "adam rate=2e-3 beta1=0 beta2=0.99 schedule=(cosine steps=6000)";
  config.ema = 0.999;
  config.progress = show;

  gan_status status = gan_trainer_create(g, d, data, &config, &trainer);
  if (status == GAN_OK) status = gan_trainer_run(trainer);
  if (status == GAN_OK) status = gan_trainer_sample(trainer, 0, SHOWN, samples[0]);
  gan_context_error(context, text, sizeof text, NULL);
  puts("");
  if (status != GAN_OK) printf("ring: %s\n", text);
  else draw(), judge();

  gan_trainer_free(trainer);
  gan_network_free(d);
  gan_network_free(g);
  gan_data_free(data);
  gan_tensor_free(ring);
  gan_context_free(context);
  return status != GAN_OK;
}
