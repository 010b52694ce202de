/* Proves that the real-time functions of a one-thread sampler are that: no allocation, no lock, no log, no BLAS, no system call.
 *
 *   test_realtime
 *
 * Allocations, locks and BLAS are interposed by functions of this program and counted. System calls are watched by the kernel: a
 * child process gives up all of them but its own end (seccomp), then draws; the first one that it makes all the same is reported
 * by its number. Prints PASS or FAIL; ends with 0, 1, or 77 where there is nothing to prove (sanitizers, no seccomp).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gan.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

enum { OK = 0, FAILED = 1, SKIPPED = 77, BATCH = 32, MOST = 100 };

/* What the child finds out; shared with the parent. */
struct findings {
  int32_t allocations, locks, logs, products;   /* while watching */
  int32_t system_call;                          /* number, or -1 */
  int32_t wrong, done;                          /* calls that gave another status than expected; all calls were made */
  int32_t no_filter;
};

static struct findings *findings;
static volatile int32_t watching;

static void note(int32_t *what) {
  if (watching && findings) ++*what;
}

/* ------------------------------------------------------------------ interposed: memory */

#if !defined(SANITIZED)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

#define NOTE(what) note(findings ? &findings->what : NULL)

void *malloc(size_t size) {
  NOTE(allocations);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  NOTE(allocations);
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  NOTE(allocations);
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  NOTE(allocations);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  NOTE(allocations);
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
  NOTE(allocations);
  __libc_free(memory);
}

/* ------------------------------------------------------------------ interposed: locks, BLAS */

/* The function of the same name behind this program's. */
#define BEHIND(name) static __typeof__(&name) behind; if (!behind) *(void **)&behind = dlsym(RTLD_NEXT, #name)

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  BEHIND(pthread_mutex_lock);
  NOTE(locks);
  return behind(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  BEHIND(pthread_mutex_trylock);
  NOTE(locks);
  return behind(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
  BEHIND(pthread_rwlock_rdlock);
  NOTE(locks);
  return behind(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
  BEHIND(pthread_rwlock_wrlock);
  NOTE(locks);
  return behind(lock);
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
  BEHIND(pthread_cond_wait);
  NOTE(locks);
  return behind(condition, mutex);
}

int pthread_cond_broadcast(pthread_cond_t *condition) {
  BEHIND(pthread_cond_broadcast);
  NOTE(locks);
  return behind(condition);
}

int sem_wait(sem_t *semaphore) {
  BEHIND(sem_wait);
  NOTE(locks);
  return behind(semaphore);
}

/* Whatever its arguments: nothing here may call it. */
void cblas_sgemm(void);
void cblas_sgemm(void) { NOTE(products); }

#endif

/* ------------------------------------------------------------------ the calls */

static void on_log(void *user, int32_t level, const char *text) {
  (void)user, (void)level, (void)text;
  if (findings) note(&findings->logs);
}

static void expect(gan_status came, gan_status expected) { findings->wrong += came != expected; }

/* Every function that the header marks as real time, with good and with bad arguments. */
static void call_everything(gan_sampler *s, float *out) {
  char text[256];
  float z[3 * 16] = {0.5f};
  int32_t label = 3, wrong = 10;
  const int64_t counts[] = {1, 2, BATCH - 1, BATCH, BATCH + 1, MOST, 0};
  for (int32_t i = 0; i < 7; i++) expect(gan_sampler_draw(s, 1000 * i, counts[i], out), GAN_OK);
  expect(gan_sampler_bind(s, "z", 3, z), GAN_OK);
  expect(gan_sampler_bind(s, "y", 1, &label), GAN_OK);
  expect(gan_sampler_draw(s, 0, MOST, out), GAN_OK);
  expect(gan_sampler_bind(s, "z", 0, NULL), GAN_OK);
  expect(gan_sampler_noise(s, "z", 7, 2, z), GAN_OK);
  expect(gan_sampler_noise(s, "y", 7, 2, z), GAN_OK);
  expect(gan_sampler_bind(s, "y", 1, &wrong), GAN_ERROR_ARGUMENT);
  expect(gan_sampler_bind(s, "nothing", 1, z), GAN_ERROR_ARGUMENT);
  expect(gan_sampler_draw(s, -1, 1, out), GAN_ERROR_ARGUMENT);
  expect(gan_sampler_error(s, text, sizeof text, NULL), GAN_OK);
  findings->wrong += gan_sampler_sample_size(s) != 6 || gan_sampler_memory(s) <= 0;
}

static gan_sampler *make_sampler(void) {
  gan_context *context = NULL;
  gan_network *network = NULL;
  gan_sampler *sampler = NULL;
  gan_context_config cc;
  gan_sampler_config sc;
  gan_context_config_init(&cc, sizeof cc);
  gan_sampler_config_init(&sc, sizeof sc);
  cc.threads = 1;
  cc.log = on_log;
  sc.max_batch = BATCH;
  if (gan_context_create(&cc, &context) != GAN_OK) return NULL;
  gan_network_create(context, "G", &network);
  gan_network_build(network, "input z 16 noise=normal; input y classes=10; embedding classes=10 width=8 from=y;"
                             "concat from=z,embedding1; dense units=64; batch-norm; relu; dense units=200; layer-norm;"
                             "leaky-relu slope=0.2; dropout; dense units=72; gelu; reshape shape=3x3x8;"
                             "conv-transpose2d filters=24 kernel=4 stride=2 padding=1 spectral-norm=yes; batch-norm; relu;"
                             "upsample; conv2d filters=40 kernel=3 padding=1; relu; conv2d filters=3 kernel=5 stride=2 padding=2;"
                             "flatten; dense units=6; softmax; tanh;"
                             "reshape shape=2x3");
  gan_sampler_create(network, &sc, &sampler);
  gan_network_free(network);
  gan_context_free(context);
  return sampler;
}

/* ------------------------------------------------------------------ the child */

static void on_system_call(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  findings->system_call = info->si_syscall;
  syscall(SYS_exit_group, FAILED);
}

/* From here on the process may end, return from the signal that tells of a call, and nothing else. */
static int32_t give_up_system_calls(void) {
  struct sock_filter rules[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
  struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO};
  if (!ARCHITECTURE || sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 0;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void run_child(gan_sampler *s, float *out) {
  findings->no_filter = !give_up_system_calls();
  watching = 1;
  call_everything(s, out);
  watching = 0;
  findings->done = 1;
  syscall(SYS_exit_group, OK);
}

/* ------------------------------------------------------------------ the parent */

static int report(void) {
  const struct findings *f = findings;
  printf("allocations %d, locks %d, logs %d, BLAS %d", f->allocations, f->locks, f->logs, f->products);
  if (f->wrong) printf(", %d unexpected statuses", f->wrong);
  if (f->system_call >= 0) printf(", system call number %d", f->system_call);
  if (!f->done) printf(", ended early");
  if (f->no_filter) printf(", system calls not watched: no seccomp here");
  int32_t bad = f->allocations || f->locks || f->logs || f->products || f->wrong || f->system_call >= 0 || !f->done;
  printf("\n%s\n", bad ? "FAIL" : f->no_filter ? "SKIP" : "PASS");
  return bad ? FAILED : f->no_filter ? SKIPPED : OK;
}

int main(void) {
#if defined(SANITIZED)
  puts("SKIP: a sanitizer allocates and locks by itself");
  return SKIPPED;
#endif
  float *out = malloc(MOST * 6 * sizeof *out);
  gan_sampler *s = make_sampler();
  findings = mmap(NULL, sizeof *findings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!s || !out || findings == MAP_FAILED) {
    puts("FAIL: no sampler");
    return FAILED;
  }
  findings->system_call = -1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) run_child(s, out);
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    puts("FAIL: no child process");
    return FAILED;
  }
  gan_sampler_free(s);
  free(out);
  return report();
}
