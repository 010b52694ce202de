#!/bin/sh
# Builds libgan and checks everything: sh tests/run.sh [--werror] [--quick]
#   --werror  a warning of the compiler is an error
#   --quick   the build and its tests only: no sanitizers, other compilers, other BLAS, installation
# Installs what is missing (Debian, Ubuntu), builds into build/, ends with "N passed, N failed".
set -u
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) && cd "$root" || exit 1
checks=build/check
werror=false
quick=
for argument; do
  case $argument in
  --werror) werror=true ;;
  --quick) quick=yes ;;
  *) sed -n '2,4s/^# //p' "$0"; exit 2 ;;
  esac
done
unset MAKEFLAGS DESTDIR GAN_TEST_SEED
export LC_ALL=C
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# ------------------------------------------------------------------------------------------------------------- bookkeeping

# check NAME COMMAND ...: one line of progress; the log is shown if it failed. Status 77: skipped, its last line says why.
# A command may count for itself with a last line "counted PASSED FAILED".
check() {
  name=$1 log=$checks/$1.log
  shift
  started=$(date +%s)
  "$@" >"$log" 2>&1
  status=$?
  took="$(($(date +%s) - started)) s"
  counted=$(sed -n '$s/^counted \([0-9]* [0-9]*\)$/\1/p' "$log")
  case $status in
  0) word=ok count=${counted:-1 0} ;;
  77) word=skip took=$(tail -n 1 "$log") count='0 0' ;;
  *) word=FAIL count=${counted:-0 1} ;;
  esac
  if [ $status -ne 0 ] && [ "${count#* }" = 0 ] && [ $status -ne 77 ]; then count="${count% *} 1"; fi
  echo "$count" >>"$checks/counts"
  case $word$counted in
  ok?*) printf '%-4s  %-12s %s passed (%s)\n' $word "$name" "${count% *}" "$took" ;;
  FAIL*) printf '%-4s  %-12s %s failed (%s); the end of %s:\n%s\n' $word "$name" "${count#* }" "$took" "$log" "$(tail -n 40 "$log" | sed 's/^/      /')" ;;
  *) printf '%-4s  %-12s (%s)\n' $word "$name" "$took" ;;
  esac
  return $status
}

finish() {
  awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' "$checks/counts"
  exit
}

# meson_test BUILD OPTION ...: runs tests, and counts cmocka's cases.
meson_test() {
  folder=$1
  shift
  rm -f "$folder"/meson-logs/testlog*
  $runner meson test -C "$folder" --no-rebuild --print-errorlogs "$@"
  status=$?
  cat "$folder"/meson-logs/testlog*.txt | awk -v status=$status '
    /^\[  PASSED  \] .*test\(s\)/ { sub(/ test\(s\).*/, ""); passed += $NF }
    /^\[  FAILED  \] .*test\(s\), listed/ { sub(/ test\(s\).*/, ""); failed += $NF }
    END {
      if ((status || !passed) && !failed) failed = 1 # one crashed or took too long, or there was none
      printf "counted %d %d\n", passed, failed
    }'
  return $status
}

# configure FOLDER OPTION ...: makes or reuses a build folder; one that was moved or broke off is made anew.
configure() {
  folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then
    meson configure "$folder" "$@" && ninja -C "$folder" build.ninja && return
  fi
  if [ -d "$folder/meson-private" ]; then meson setup --wipe "$folder" "$@" && return; fi
  meson setup "$folder" "$@"
}

# ------------------------------------------------------------------------------------------------------------------ stages

main_build() {
  configure build -Dwerror=$werror -Dexamples=enabled -Dtests=enabled && ninja -C build
}

# variant NAME COMPILER MESON-OPTIONS TEST-OPTIONS: another build of the library and its tests.
variant() {
  folder=$checks/$1
  CC=$2
  export CC
  command -v "$CC" >/dev/null || { echo "no $CC"; return 77; }
  # shellcheck disable=SC2086 # several options in one string
  configure "$folder" -Dwerror=$werror -Dexamples=disabled -Dbench=false $3 && ninja -C "$folder" && meson_test "$folder" $4
}

sanitizer() {
  case $1 in
  address) variant asan gcc '-Db_sanitize=address,undefined -Db_lundef=false -Dblas=builtin -Doptimization=1' '--no-suite slow -t 5' ;;
  thread)
    # gcc 12's does not start where addresses are more random than it expects.
    runner="setarch $(uname -m) -R"
    $runner true 2>/dev/null || runner=
    variant tsan gcc '-Db_sanitize=thread -Db_lundef=false -Dblas=builtin -Doptimization=1' '--suite threads -t 5'
    ;;
  esac
}

valgrind_tests() {
  command -v valgrind >/dev/null || { echo "no valgrind"; return 77; }
  meson_test build --suite valgrind -t 20 \
    --wrapper "valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect '--suppressions=$root/tests/valgrind.supp'"
}

blis() {
  pkg-config --exists blis || ls /usr/include/*/blis*/cblas.h >/dev/null 2>&1 || { echo "no BLIS"; return 77; }
  variant blis gcc '-Dblas=blis' '--suite core'
}

# --------------------------------------------------------------------------------------------------------------------- run

runner=
sh examples/setup.sh gcc meson ninja-build pkg-config binutils libopenblas-dev libcmocka-dev libpng-dev zlib1g-dev \
  optional g++ clang valgrind libblis-dev dataset-fashion-mnist || exit 1
mkdir -p "$checks" && : >"$checks/counts" || exit 1

check floors sh tests/check_floors.sh .
check header sh tests/check_header.sh include/gan.h
check compiles sh tests/check_compiles.sh include
check build main_build || finish
check symbols sh tests/check_symbols.sh build/lib/libgan.so.0 include/gan.h tests/exported-symbols.txt
check readme sh tests/check_readme.sh README.md build
check calls sh tests/check_calls.sh include/gan.h tests/api_calls.def
check tests meson_test build
[ -z "$quick" ] || finish

# Two lanes, for two cores.
(
  check asan sanitizer address
  check tsan sanitizer thread
) &
(
  check consumer sh tests/consumer/check.sh build "$checks/consumer"
  check clang variant clang clang '-Dblas=builtin' '--suite core'
  check blis blis
  check valgrind valgrind_tests
) &
wait
finish
