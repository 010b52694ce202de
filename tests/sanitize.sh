#!/bin/sh
# Builds with a sanitizer of gcc and runs tests under it: sh tests/sanitize.sh address|thread [OPTION OF meson test ...]
#   address  AddressSanitizer, LeakSanitizer, UndefinedBehaviorSanitizer: all tests, long ones with every 20th of their cases
#   thread   ThreadSanitizer: the tests of the suite "threads"
# GAN_TEST_EVERY=1 takes all cases. The products are the built-in ones: no sanitizer sees into BLAS.
set -u
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) && cd "$root" || exit 1
kind=${1:-}
[ $# -gt 0 ] && shift
build=build/check/$kind
export GAN_TEST_EVERY="${GAN_TEST_EVERY:-20}"
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_invalid_pointer_pairs=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
case $kind in
address) sanitizers=address,undefined tests='--no-suite slow' runner= ;;
thread)
  sanitizers=thread tests='--suite threads'
  # gcc 12's does not start where addresses are more random than it expects.
  runner="setarch $(uname -m) -R"
  $runner true 2>/dev/null || runner=
  ;;
*) sed -n '2,5s/^# //p' "$0"; exit 2 ;;
esac

CC=gcc
export CC
# A build folder that was moved or broke off is made anew.
ninja -C $build build.ninja >/dev/null 2>&1 || rm -rf $build
[ -d $build ] || meson setup $build -Db_sanitize=$sanitizers -Db_lundef=false -Dblas=builtin -Doptimization=1 \
  -Dexamples=disabled -Dbench=false || exit 1
# shellcheck disable=SC2086 # several words
$runner meson test -C $build --print-errorlogs -t 5 $tests "$@"
