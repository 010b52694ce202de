#!/bin/sh
# No public function escapes the test of bad arguments: sh check_calls.sh gan.h api_calls.def
set -u
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
sh "$here/functions.sh" "$1" | sort >"$work/declared"
sed -n 's/^[A-Z]*(\(gan_[a-z0-9_]*\),.*/\1/p' "$2" | sort -u >"$work/tested"
missing=$(comm -23 "$work/declared" "$work/tested")
[ -z "$missing" ] || { echo "$2 has no row for: $missing"; exit 1; }
strange=$(comm -13 "$work/declared" "$work/tested")
[ -z "$strange" ] || { echo "$2 has rows for what is not in $1: $strange"; exit 1; }
