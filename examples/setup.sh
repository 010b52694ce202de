#!/bin/sh
# Makes sure that what the project needs is installed: sh setup.sh PACKAGE ... (names as in Debian 12).
# Says nothing if all is there; else installs it with apt-get, as root or by sudo. A package after the word
# "optional" is only asked for: without it the status is still 0.
set -u

there() {
  case $1 in
  gcc) command -v gcc || command -v cc ;;
  g++) command -v g++ ;;
  clang | meson | valgrind | pkg-config) command -v "$1" ;;
  ninja-build) command -v ninja ;;
  binutils) command -v nm ;;
  libopenblas-dev) pkg-config --exists openblas || pkg-config --exists blas || pkg-config --exists cblas ;;
  libblis-dev) pkg-config --exists blis || ls /usr/include/*/blis*/cblas.h /usr/include/blis*/cblas.h 2>/dev/null | grep -q . ;;
  libcmocka-dev) pkg-config --exists cmocka ;;
  libpng-dev) pkg-config --exists libpng ;;
  libjpeg-dev) pkg-config --exists libjpeg ;;
  zlib1g-dev) pkg-config --exists zlib ;;
  dataset-fashion-mnist) test -r /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ;;
  *) dpkg -s "$1" ;;
  esac >/dev/null 2>&1
}

# missing all|needed PACKAGE ...
missing() {
  which=$1
  shift
  for package; do
    if [ "$package" = optional ]; then
      [ "$which" = all ] || return 0
    elif ! there "$package"; then
      printf ' %s' "$package"
    fi
  done
}

all=$(missing all "$@")
[ -n "$all" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
if ! command -v apt-get >/dev/null 2>&1; then
  why="this system has no apt-get"
elif [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; then
  why="installing needs root or a sudo without password"
else
  echo "installing:$all"
  install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; }
  # shellcheck disable=SC2086 # names of packages have no blanks
  if log=$(install $all 2>&1 || { $as_root apt-get update -q && install $all; } 2>&1); then exit 0; fi
  why=$(printf '%s\n' "$log" | sed -n '/^E: /{s///p;q;}')
  # One that cannot be had must not keep the others out.
  for package in $all; do install "$package" >/dev/null 2>&1; done
fi

left=$(missing all "$@")
[ -n "$left" ] || exit 0
echo "missing:$left ($why). Please install them; these are Debian's names." >&2
[ -z "$(missing needed "$@")" ]
