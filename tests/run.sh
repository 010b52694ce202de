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

# ------------------------------------------------------------------------------------------------------------- bookkeeping

# check NAME COMMAND ...: one line of progress; the log is shown if it failed. Status 77: skipped, its last line says why.
# A command may count for itself with a last line "counted PASSED FAILED".
check() {
  name=$1 log=$checks/$1.log
  shift
  started=$(date +%s)
  ("$@") >"$log" 2>&1
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

# count FOLDER STATUS: adds up the tests of a run of meson; a program of cmocka counts by its cases.
count() {
  awk -v status="$2" '
    function add() {
      if (section && !cases && result == "exit status 0") passed++
      else if (section && !cases && result !~ /^exit status 77/) failed++
      section = cases = 0
    }
    /^=+ [0-9]+\/[0-9]+ =+$/ { add(); section = 1 }
    /^result: / && section == 1 { sub(/^result: */, ""); result = $0; section = 2 }
    /^\[  PASSED  \] .*test\(s\)/ { sub(/ test\(s\).*/, ""); passed += $NF; cases = 1 }
    /^\[  FAILED  \] .*test\(s\), listed/ { sub(/ test\(s\).*/, ""); failed += $NF; cases = 1 }
    END {
      add()
      if ((status || !passed) && !failed) failed = 1 # one died after its cases, or there was none
      printf "counted %d %d\n", passed, failed
    }' "$1"/meson-logs/testlog*.txt
  return "$2"
}

# meson_test BUILD OPTION ...: runs tests and counts them.
meson_test() {
  folder=$1
  shift
  rm -f "$folder"/meson-logs/testlog*
  meson test -C "$folder" --print-errorlogs "$@" # builds what the chosen tests need
  count "$folder" $?
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
  configure "$folder" -Dwerror=$werror -Dexamples=disabled -Dbench=false $3 && meson_test "$folder" $4
}

sanitizer() {
  rm -f build/check/$1/meson-logs/testlog*
  sh tests/sanitize.sh "$1"
  count build/check/$1 $?
}

valgrind_tests() {
  command -v valgrind >/dev/null || { echo "no valgrind"; return 77; }
  GAN_TEST_EVERY=100 meson_test build --suite valgrind -t 20 \
    --wrapper "valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect '--suppressions=$root/tests/valgrind.supp'"
}

blis() {
  pkg-config --exists blis || ls /usr/include/*/blis*/cblas.h >/dev/null 2>&1 || { echo "no BLIS"; return 77; }
  variant blis gcc '-Dblas=blis' '--suite core'
}

# --------------------------------------------------------------------------------------------------------------------- run

sh examples/setup.sh gcc meson ninja-build pkg-config binutils libopenblas-dev libcmocka-dev libpng-dev zlib1g-dev \
  optional libjpeg-dev g++ clang valgrind libblis-dev dataset-fashion-mnist || exit 1
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
trap 'kill $lanes 2>/dev/null; exit 130' INT TERM
(
  check asan sanitizer address
  check tsan sanitizer thread
) &
lanes=$!
(
  check consumer sh tests/consumer/check.sh build "$checks/consumer"
  check clang variant clang clang '-Dblas=builtin' '--suite core'
  check blis blis
  check valgrind valgrind_tests
) &
lanes="$lanes $!"
wait
finish
