#!/bin/sh
# A few steps of a recipe on a small set of pictures made here: sh check.sh PROGRAM. It has to end well, with a picture and with
# figures that are numbers, and to refuse what makes no sense.
set -u
program=$(realpath "$1")
name=$(basename "$program")
work=$(mktemp -d "${TMPDIR:-/tmp}/gan recipe.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
  echo "FAILED: $name: $*" >&2
  cat out.txt err.txt >&2
  exit 1
}

# images FILE COUNT-IN-OCTAL COUNT: pictures of 28x28 grey pixels
images() {
  printf "\000\000\010\003\000\000$2\000\000\000\034\000\000\000\034" >"$1"
  yes 'Recipes turn pictures of clothes into others,' | head -c "$((784 * $3))" | tr 'aeiou ' '\377\300\200\100\040\000' >>"$1"
}

# labels FILE COUNT-IN-OCTAL COUNT: 0 to 9, in turn
labels() {
  printf "\000\000\010\001\000\000$2" >"$1"
  yes '0123456789' | tr -d '\n' | head -c "$3" | tr '0-9' '\000-\011' >>"$1"
}

images train-images-idx3-ubyte '\002\000' 512
labels train-labels-idx1-ubyte '\002\000' 512
images t10k-images-idx3-ubyte '\000\200' 128
labels t10k-labels-idx1-ubyte '\000\200' 128

"$program" --help >out.txt 2>err.txt || fail "--help"
grep -q "^usage: $name" out.txt || fail "the help is of another program"
"$program" --data . --steps 3 --threads 1 --out made.png >out.txt 2>err.txt || fail "three steps"
grep -Eq "^$name [a-z0-9-]+=-?[0-9]+\.[0-9]+ \(" out.txt || fail "there is no figure"
head -c 4 made.png | grep -q PNG || fail "there is no picture"
if "$program" --data . --steps 0 >out.txt 2>err.txt; then fail "no steps should be refused"; fi
if "$program" --data nowhere >out.txt 2>err.txt; then fail "a folder without data should be refused"; fi
grep -q nowhere err.txt || fail "the sentence should name the folder"
