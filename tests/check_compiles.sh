#!/bin/sh
# The public header compiles without a warning in every language it is for: sh check_compiles.sh INCLUDE-FOLDER
set -u
include=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
printf '#include <gan.h>\n#include <gan.h>\nint main(void) { return gan_version() == 0; }\n' >"$work/header.c"
cp "$work/header.c" "$work/header.cc"
failed=0

# compile COMPILER FILE STANDARD ...
compile() {
  compiler=$1 file=$2
  shift 2
  command -v "$compiler" >/dev/null || return 0
  for standard; do
    # A standard that this compiler does not know is none to check.
    echo 'typedef int nothing;' >"$work/nothing.${file##*.}"
    "$compiler" -std="$standard" -fsyntax-only "$work/nothing.${file##*.}" 2>/dev/null || continue
    if "$compiler" -std="$standard" -Wall -Wextra -pedantic -Werror -fsyntax-only -I "$include" "$work/$file" 2>"$work/log"; then
      count=$((count + 1))
    else
      echo "$compiler -std=$standard:"
      cat "$work/log"
      failed=1
    fi
  done
}

count=0
for compiler in gcc clang; do compile $compiler header.c c99 c11 c17 c2x gnu99 gnu17; done
for compiler in g++ clang++; do compile $compiler header.cc c++98 c++11 c++14 c++17 c++20 c++23; done
echo "$count combinations of compiler and standard"
[ $count -ge 4 ] || { echo "too few compilers to tell"; exit 77; }
exit $failed
