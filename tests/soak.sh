#!/bin/sh
# Runs for hours what run.sh runs for minutes: sh tests/soak.sh [HOURS] (8)
# Rounds of, until the time is up:
#   faults   all tests under AddressSanitizer with all their cases, ThreadSanitizer over and over
#   damage   the readers of files under AddressSanitizer with new seeds
#   train    a training that is killed without warning while it saves, resumed, and must end with the bits of one that was not
#   memory   a long training whose memory must not grow
# Stops at the first failure, and says where its log is. Everything lies in build/soak/.
set -u
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) && cd "$root" || exit 1
hours=${1:-8}
soak=build/soak
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
mkdir -p $soak || exit 1
end=$(($(date +%s) + $(awk -v h="$hours" 'BEGIN { printf "%d", h * 3600 }')))
export GAN_TEST_EVERY=1

say() { printf '%s  %s\n' "$(date '+%F %T')" "$*"; }
die() {
  say "FAILED: $*"
  exit 1
}

faults() {
  sh tests/sanitize.sh address -t 50 >$soak/address.log 2>&1 || die "address: $soak/address.log"
  sh tests/sanitize.sh thread --repeat 5 >$soak/thread.log 2>&1 || die "thread: $soak/thread.log"
}

damage() {
  build/check/address/tests/fuzz_io 1000000 "$1" >$soak/damage.log 2>&1 || die "damage with seed $1: $soak/damage.log"
}

# train FOLDER OPTION ...: a deterministic training of some seconds that saves three times.
train() {
  folder=$1
  shift
  build/examples/gan-train --out "$folder" --deterministic --quiet --epochs 3 --every 1 "$@" $images
}

training() {
  [ -r $images ] || return 0
  if ! [ -d $soak/whole ]; then train $soak/whole --overwrite >$soak/train.log 2>&1 || die "train: $soak/train.log"; fi
  rm -rf $soak/killed
  resume= patience=2
  while :; do
    train $soak/killed $resume >$soak/train.log 2>&1 &
    pid=$!
    sleep "$(awk -v seed="$1$pid" -v most="$patience" 'BEGIN { srand(seed); printf "%.2f", 0.1 + most * rand() }')"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null && break # it was done before
    patience=$((patience + 1)) # in the end it has to finish
    if [ -e $soak/killed/checkpoint.safetensors ]; then resume=--resume; else resume=--overwrite; fi
  done
  for file in "$soak"/whole/*.safetensors; do
    cmp "$file" "$soak/killed/${file##*/}" || die "train: $soak/killed differs from $soak/whole"
  done
}

memory() {
  [ -r $images ] || return 0
  build/examples/gan-train --out $soak/memory --overwrite --quiet --seconds 120 $images >$soak/memory.log 2>&1 &
  pid=$!
  sleep 20
  before=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)
  sleep 95
  after=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)
  wait $pid || die "memory: $soak/memory.log"
  [ "$after" -le $((before + 2048)) ] || die "memory: grew from $before kB to $after kB within 95 s"
}

meson configure build >/dev/null 2>&1 || meson setup build >$soak/setup.log || die "setup: $soak/setup.log"
ninja -C build >$soak/build.log || die "build: $soak/build.log"
round=0
while [ "$(date +%s)" -lt $end ]; do
  round=$((round + 1))
  for part in faults damage training memory; do
    say "round $round: $part"
    $part "$(($(date +%s) % 1000000))"
  done
done
say "$round rounds without a failure"
