#!/bin/sh
# From nothing to pictures of clothes that never were: sh examples/quickstart.sh [OPTION OF gan-train ...]
# Installs what is missing (Debian, Ubuntu), builds into build/, trains a GAN on Fashion-MNIST, and says where the pictures are.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
images=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
out=$root/build/quickstart

sh "$root/examples/setup.sh" gcc meson ninja-build pkg-config libopenblas-dev libpng-dev zlib1g-dev dataset-fashion-mnist \
  optional libjpeg-dev

cd "$root"
if ! [ -f build/build.ninja ]; then meson setup build >build-setup.log || { cat build-setup.log; exit 1; }; rm -f build-setup.log; fi
ninja -C build examples/gan-train examples/gan-sample >/dev/null || { ninja -C build examples/gan-train; exit 1; }

build/examples/gan-train --model clothes --seconds 60 --overwrite --out "$out" "$@" "$images"
echo "pictures, curves and the trained generator: $out"
