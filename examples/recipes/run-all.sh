#!/bin/sh
# Runs all recipes, or those named, one after the other on one thread, and writes their figures into docs/recipes.md:
# sh examples/recipes/run-all.sh BUILD [RECIPE ...]
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
missed=0

# "cgan accuracy=0.931 (above chance 0.100), 4000 steps, 26 s" -> "| `cgan` | accuracy 0.931 | above chance 0.100 | 4000 | 26 |"
to_row() {
  sed -En 's/^([a-z0-9-]+) ([^= ]+)=([^ ]+) \(([^)]*)\), ([0-9]+) steps, ([0-9]+) s$/| `\1` | \2 \3 | \4 | \5 | \6 |/p'
}

# Rows of recipes that are not run now are taken from the page.
for name in $all; do grep "^| \`$name\` | [^|]* | [^|]*\(above\|below\)" "$page" >"$rows/$name" || true; done

for name in ${*:-$all}; do
  echo "$name ..."
  "$programs/$name" --threads 1 --out "$build/recipes/$name.png" >"$build/recipes/$name.log"
  to_row <"$build/recipes/$name.log" >"$rows/$name"
  cat "$rows/$name"
  ! grep -q '| not ' "$rows/$name" || missed=1
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
