#!/bin/sh
# Uses an installed libgan as a stranger does: sh check.sh BUILD-FOLDER WORK-FOLDER
# The build is installed below the work folder; then main.c is built there as C11 and C++17, with the shared and the static
# library, by hand and by meson, always with what pkg-config says.
set -u
here=$(CDPATH='' cd "$(dirname "$0")" && pwd) || exit 1
build=$1
mkdir -p "$2" && work=$(CDPATH='' cd "$2" && pwd) || exit 1
rm -rf "${work:?}/stage" "$work/static" "$work/meson"
failed=0

meson install -C "$build" --no-rebuild --destdir "$work/stage" >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
pc=$(find "$work/stage" -name libgan.pc)
library=$(find "$work/stage" -name 'libgan.so.0')
archive=$(find "$work/stage" -name libgan.a)
for file in "$pc" "$library" "$archive"; do
  [ -f "$file" ] || { echo "libgan.pc, libgan.so.0 and libgan.a should be installed; found: $pc $library $archive"; exit 1; }
done
installed=$(find "$work/stage" -type f -name '*.h')
case $installed in */include/gan.h) ;; *) echo "one header should be installed; found: $installed"; failed=1 ;; esac

# It was built for another prefix than the folder that it is in now.
prefix=$(sed -n 's/^prefix=//p' "$pc")
in_pc() { printf '%s' "$1" | sed 's/[\\&|]/\\&/g'; }
sed "s|^prefix=.*|prefix=$(in_pc "$work/stage$prefix")|" "$pc" >"$work/libgan.pc" && cp "$work/libgan.pc" "$pc"
# And an installation that has the archive only.
cp -R "$work/stage" "$work/static" && find "$work/static" -name 'libgan.so*' -exec rm {} +
static_pc=$(find "$work/static" -name libgan.pc)
sed "s|^prefix=.*|prefix=$(in_pc "$work/static$prefix")|" "$work/libgan.pc" >"$static_pc"

# try NAME COMPILER PC-FOLDER PKG-CONFIG-OPTIONS FLAGS ...
try() {
  name=$1 compiler=$2 folder=$3 options=$4
  shift 4
  command -v "$compiler" >/dev/null || { echo "skipped: $name, no $compiler"; return; }
  # shellcheck disable=SC2086 # options are several words or none
  flags=$(PKG_CONFIG_PATH=$folder pkg-config $options --cflags --libs libgan) || { failed=1; return; }
  echo "$name: $compiler $* $flags"
  # pkg-config quotes for a shell.
  eval "$compiler" '"$@"' '-Wall -Wextra -pedantic -Werror -x "$language" "$here/main.c" -x none' "$flags" '-o "$work/$name"' &&
    LD_LIBRARY_PATH=$(dirname "$library") "$work/$name" || { echo "$name: failed"; failed=1; }
}

language=c
try c11-shared cc "$(dirname "$pc")" '' -std=c11
try c11-static cc "$(dirname "$static_pc")" --static -std=c11
language=c++
try cpp17-shared c++ "$(dirname "$pc")" '' -std=c++17
try cpp17-static c++ "$(dirname "$static_pc")" --static -std=c++17

if LD_LIBRARY_PATH=$(dirname "$library") ldd "$work/c11-static" | grep -q libgan; then
  echo "c11-static: needs libgan.so"
  failed=1
fi

if command -v c++ >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$pc") meson setup "$work/meson" "$here" >"$work/meson.log" 2>&1 &&
    LD_LIBRARY_PATH=$(dirname "$library") meson test -C "$work/meson" >>"$work/meson.log" 2>&1 ||
    { tail -n 20 "$work/meson.log"; failed=1; }
fi
exit $failed
