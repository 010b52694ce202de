#!/bin/sh
# Losses of three steps of gan-bench's games beside those that PyTorch gives from the same weights and inputs, within 1e-4 of the
# larger of 1 and the loss: sh check_losses.sh GAN-BENCH FIXTURE
set -u
bench=$(realpath "$1") fixture=$2
cases=$(awk '!/^#/ { print $1 }' "$fixture" | uniq)
# "{"case": "cgan", "step": 1, "losses": [0.5, 1.2]}" -> "cgan 1 0.5 1.2"
# shellcheck disable=SC2086
"$bench" --losses $cases | sed -E 's/[^ ]*"(case|step|losses)": //g; s/[],"[{}]//g' >ours.$$ || exit 1
trap 'rm -f ours.$$' EXIT
grep -v '^#' "$fixture" | paste -d ' ' - ours.$$ | awk '
  function apart(a, b) { d = a > b ? a - b : b - a; return d / (b > 1 ? b : 1) }
  {
    n = NF / 2
    if (n != int(n) || n < 4 || $1 != $(n + 1) || $2 != $(n + 2)) { print "no such losses: " $0; bad = 1; next }
    for (i = 3; i <= n; i++) if (!(apart($(n + i), $i) <= 1e-4)) { print "apart: " $0; bad = 1 }
    lines++
  }
  END { if (lines < 18) { print "expected 18 lines, came " lines; bad = 1 } exit bad }'
