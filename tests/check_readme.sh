#!/bin/sh
# Every piece of C in README.md that has a main() compiles against the library that was built, without a warning:
#   sh check_readme.sh README.md BUILD-FOLDER
set -u
readme=$1 build=$2
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

awk -v base="$work/piece" '
  /^```c$/ { n++; file = base n ".c"; next }
  /^```$/ { file = "" }
  file { print > file }' "$readme"

compiled=0
for piece in "$work"/piece*.c; do
  grep -q 'int main(' "$piece" || continue
  ${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror -I "$here/../include" -o "$work/program" "$piece" -L "$build/lib" -lgan -lm || {
    echo "$readme: this does not compile:"
    cat "$piece"
    exit 1
  }
  compiled=$((compiled + 1))
done
[ $compiled -gt 0 ] || { echo "$readme: no C with a main() was found"; exit 1; }
