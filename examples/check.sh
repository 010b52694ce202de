#!/bin/sh
# What the example programs do with good and with bad command lines: sh check.sh FOLDER_OF_THE_PROGRAMS
set -u
programs=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/gan examples.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

works() {
  program=$1
  shift
  "$programs/$program" "$@" >out.txt 2>err.txt || fail "$program $*: $(cat err.txt)"
}

# refuses WORDS PROGRAM ARGUMENT...: fails, within a sentence that has these words
refuses() {
  words=$1 program=$2
  shift 2
  if "$programs/$program" "$@" >out.txt 2>err.txt; then fail "$program $* should be refused"; fi
  grep -q -- "$words" err.txt || fail "$program $*: expected '$words', came: $(cat err.txt)"
}

exists() {
  for file; do [ -s "$file" ] || fail "$file is missing"; done
}

# 64 pictures of 4x4 grey pixels, and their labels
{
  printf '\000\000\010\003\000\000\000\100\000\000\000\004\000\000\000\004'
  yes 'A GAN learns from pictures.' | head -c 1024
} >images.idx
gzip -k images.idx
{
  printf '\000\000\010\001\000\000\000\100'
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do printf '\000\001\002\003'; done
} >labels.idx
"$programs/toys" --count 20 --size 8x8 || fail "toys"
printf 'input z 8 noise=normal\ndense units=32; relu\ndense units=16; tanh\nreshape shape=4x4x1\n' >g.txt
printf 'input image 4x4x1\nflatten\ndense units=32; relu\ndense units=1\n' >d.txt
small="--generator g.txt --discriminator d.txt --batch 8 --grid 3x2 --threads 1"

# shellcheck disable=SC2086 # the words of $small
{
  works gan-train --help
  works gan-train --list
  works gan-train --describe adam
  works gan-train --version
  works gan-train $small --epochs 2 --out "a run" images.idx.gz
  for file in checkpoint.safetensors generator.safetensors discriminator.safetensors settings.txt samples.png epoch-0000.png \
    epoch-0002.png curves.csv curves.png; do
    exists "a run/$file"
  done
  works gan-train --resume --out "a run" --epochs 3
  exists "a run/epoch-0003.png"
  ls "a run" | grep -q tmp && fail "a temporary file was left"
  refuses 'has its' gan-train --resume --out "a run"
  refuses 'holds a training' gan-train $small --steps 1 --out "a run" images.idx
  works gan-train $small --steps 1 --overwrite --out "a run" images.idx
  works gan-train $small --steps 1 --loss "hinge; perceptual; l1 weight=2" --network "a run/discriminator.safetensors" --out eyes images.idx
  refuses 'networks that look at samples are missing' gan-train $small --loss "hinge; perceptual" --out b images.idx
  refuses '--network' gan-train $small --network nothing.safetensors --out b images.idx
  refuses 'did you mean --batch' gan-train --bacth 8 images.idx
  refuses 'whole number' gan-train --batch eight images.idx
  refuses 'must be' gan-train --batch -8 images.idx
  refuses 'needs a value' gan-train images.idx --batch
  refuses 'takes no value' gan-train --resume=yes
  refuses 'one name too many' gan-train images.idx images.idx
  refuses 'which images' gan-train
  refuses 'nothing.idx' gan-train nothing.idx
  refuses 'no IDX file' gan-train g.txt
  refuses 'no pictures' gan-train labels.idx
  refuses 'go together' gan-train --generator g.txt images.idx
  refuses 'no training to resume' gan-train --resume --out nowhere
  refuses 'did you mean' gan-train --describe adma
  refuses '' gan-train $small --loss wasserstien --out b images.idx
  refuses '' gan-train --model nonsense --out b images.idx
  refuses 'is a file' gan-train $small --out g.txt --steps 1 images.idx
  [ -e b ] && fail "a refused training left a folder"
}

network="a run/generator.safetensors"
works gan-sample --help
works gan-sample --grid 3x2 --out grid.png "$network"
works gan-sample --interpolate 0,5 --steps 7 --out way.png "$network"
works gan-sample --count 3 --each --out one.png "$network"
works gan-sample --count 5 --raw --out five.f32 "$network"
exists grid.png way.png one-0000.png one-0002.png five.f32
[ "$(wc -c <five.f32)" -eq 320 ] || fail "five samples of 16 floats are 320 bytes"
refuses 'which network' gan-sample
refuses 'nothing.safetensors' gan-sample nothing.safetensors
refuses '' gan-sample images.idx
refuses 'not conditional' gan-sample --label 1 "$network"
refuses '--shape' gan-sample --shape 5x5x1 "$network"
refuses '--range' gan-sample --range 1..-1 "$network"
refuses 'fewer than' gan-sample --count 7 --grid 3x2 "$network"
refuses 'no meaning' gan-sample --steps 3 "$network"
refuses 'AxB\|A,B' gan-sample --interpolate 1 "$network"

# a folder of pictures: those that were just written
mkdir pictures && mv one-*.png pictures
# shellcheck disable=SC2086
works gan-train $small --batch 2 --steps 2 --out c pictures
cp grid.png pictures
# shellcheck disable=SC2086
{
  refuses 'pixels' gan-train $small --batch 2 --steps 2 --out d pictures
  refuses '--crop needs --size' gan-train $small --crop centre --out d pictures
  refuses 'centre or random' gan-train $small --size 4x4 --crop middle --out d pictures
  refuses 'contradict' gan-train $small --gray --color --out d pictures
  refuses 'HxW' gan-train $small --size 4 --out d pictures
  works gan-train $small --batch 2 --steps 2 --size 4x4 --crop centre --gray --out d pictures
  works gan-train $small --steps 2 --size 4x4 --gray --out d --overwrite toys.idx
}

# the same training in one run and in two: what is drawn by chance goes on as it would have
# shellcheck disable=SC2086
for steps in 7 3; do
  works gan-train $small --size 4x4 --crop random --flip --gray --deterministic --steps $steps --out "drawn $steps" pictures
done
works gan-train --resume --steps 7 --out "drawn 3"
cmp -s "drawn 7/generator.safetensors" "drawn 3/generator.safetensors" || fail "a resumed training with flips has other weights"

works gan-train --model "dcgan-28 filters=2" --batch 8 --steps 2 --grid 3x2 --threads 1 --out conv toys.idx
works gan-train --describe dcgan-28
grep -q 'adam rate=1e-4' out.txt || fail "--describe of a preset says how it is trained"
refuses 'multiples of 16' gan-train --model dcgan-64 --out f toys.idx
refuses '--size gives' gan-train --model dcgan-64 --out f toys.idx

works toys --count 5 --size 8x12 --out many --labels kinds.idx
[ "$(ls many | wc -l)" -eq 5 ] || fail "toys should have made five files"
[ "$(wc -c <kinds.idx)" -eq 13 ] || fail "five labels and their header are 13 bytes"
refuses 'more than\|must be' toys --count 0
if "$programs/toys" --count 2 --size 8x8 --jpeg 90 --out photos 2>err.txt; then
  # shellcheck disable=SC2086
  works gan-train $small --batch 2 --steps 2 --size 4x4 --gray --out e photos
  head -c 400 photos/000001.jpg >photos/000002.jpg
else
  grep -q 'without libjpeg' err.txt || fail "toys --jpeg: $(cat err.txt)"
  mkdir -p photos
fi
echo 'no picture' >photos/000003.png
# shellcheck disable=SC2086
refuses 'photos/00000[23]' gan-train $small --batch 2 --steps 2 --size 4x4 --gray --out f photos

works ring --help

[ "$failures" -eq 0 ] && echo "all is well"
exit "$((failures > 0))"
