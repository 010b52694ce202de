#!/bin/sh
# The house keeps its order: sh check_floors.sh SOURCE-FOLDER
#   a file of lib/ includes its own floor and floors below it, the public header, and the system's headers
#   only lib/kernels/blas.c includes cblas.h
#   examples/ include the public header and their own, nothing of lib/
#   every source is named in a meson.build: none is forgotten, none is left over
set -u
cd "$1" || exit 1
failed=0
complain() {
  echo "$*"
  failed=1
}

order=$(awk '
  BEGIN { n = split("base io kernels graph ops plan nn train", floor); for (i = 1; i <= n; i++) height[floor[i]] = i }
  FNR == 1 { split(FILENAME, part, "/"); mine = part[2] }
  /^[ \t]*#[ \t]*include/ {
    place = FILENAME ":" FNR ": "
    if (match($0, /"[^"]*"/)) {
      name = substr($0, RSTART + 1, RLENGTH - 2)
      if (name == "gan.h") next
      if (split(name, path, "/") < 2) { print place name ": write it with its floor, \"" mine "/" name "\""; next }
      if (!(path[1] in height)) print place name ": there is no floor " path[1]
      else if (height[path[1]] > height[mine]) print place mine " may not include " name ", which is above it"
    } else if (/<gan\.h>/) {
      print place "within lib the header is \"gan.h\""
    } else if (/<cblas\.h>/ && FILENAME != "lib/kernels/blas.c") {
      print place "only lib/kernels/blas.c includes cblas.h"
    }
  }' lib/*/*.c lib/*/*.h lib/*/*.def)
[ -z "$order" ] || complain "$order"

for file in lib/*; do
  case $file in
  lib/meson.build | lib/gan.map | lib/base | lib/io | lib/kernels | lib/graph | lib/ops | lib/plan | lib/nn | lib/train) ;;
  *) complain "$file: belongs to no floor" ;;
  esac
done

upward=$(find examples tests/consumer -name '*.[ch]*' -exec grep -H -n -E '#include.*"([^"]*/)?(base|io|kernels|graph|ops|plan|nn|train)/' {} + |
  grep -v '^examples/[^:]*:[0-9]*:[^"]*"train/')
[ -z "$upward" ] || complain "the insides of the library are for lib and tests:
$upward"

for folder in base io graph ops plan nn train kernels; do
  for source in lib/$folder/*.c; do
    name=$folder/${source##*/} list=lib/meson.build
    if [ $folder = kernels ]; then name=${source##*/} list=lib/kernels/meson.build; fi
    [ ! -e "$source" ] || grep -q -F "'$name'" $list || grep -q -F "'$folder/$name'" lib/meson.build || complain "$source: is not named in $list"
  done
done
for source in tests/*.c; do
  name=${source##*/}
  stem=${name#test_}
  grep -q -F -e "'$name'" -e "'${stem%.c}': " tests/meson.build || complain "$source: is not named in tests/meson.build"
done
exit $failed
