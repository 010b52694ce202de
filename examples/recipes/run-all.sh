#!/bin/sh
# Runs all recipes, or those named, each on one thread, as many at once as there are cores, and writes their figures into
# docs/recipes.md: sh examples/recipes/run-all.sh BUILD [RECIPE ...]
# Pictures and logs stay in BUILD/recipes. Of recipes that are not run the rows in the table stay.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
page=$root/docs/recipes.md
begin='| recipe | figure | reference | steps | seconds |'
[ $# -gt 0 ] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
build=$(CDPATH='' cd "$1" && pwd)
shift
programs=$build/examples/recipes
all=$(find "$programs" -maxdepth 1 -type f -perm -u+x -exec basename {} \; | sort)
rows=$build/recipes/rows
mkdir -p "$rows"

# "cgan accuracy=0.931 (above chance 0.100), 4000 steps, 26 s" -> "| `cgan` | accuracy 0.931 | above chance 0.100 | 4000 | 26 |"
to_row() {
  sed -En 's/^([a-z0-9-]+) ([^= ]+)=([^ ]+) \(([^)]*)\), ([0-9]+) steps, ([0-9]+) s$/| `\1` | \2 \3 | \4 | \5 | \6 |/p'
}

# Rows of recipes that are not run now are taken from the page.
for name in $all; do grep "^| \`$name\` | [^|]* | [^|]*\(above\|below\)" "$page" >"$rows/$name" || true; done

# A recipe that breaks off leaves no rows, one that misses its mark a row with "not".
# shellcheck disable=SC2016,SC2086
printf '%s\n' ${*:-$all} | xargs -P "$(nproc)" -I NAME sh -c '
  "$1/NAME" --threads 1 --out "$2/NAME.png" >"$2/NAME.log" 2>"$2/NAME.errors" && echo "NAME done" || echo "NAME failed: $2/NAME.errors"
' sh "$programs" "$build/recipes"
missed=0
for name in ${*:-$all}; do
  to_row <"$build/recipes/$name.log" >"$rows/$name"
  if ! [ -s "$rows/$name" ] || grep -q '| not ' "$rows/$name"; then missed=1; fi
done

{
  sed "/^$begin\$/q" "$page"
  echo '|---|---|---|---|---|'
  for name in $all; do cat "$rows/$name"; done
  # What follows the table: from the first line behind it that is no row.
  awk -v begin="$begin" '$0 == begin { table = 1; next } table == 1 && /^\|/ { next } table { table = 2; print }' "$page"
} >"$page.new"
mv "$page.new" "$page"
exit "$missed"
