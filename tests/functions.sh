#!/bin/sh
# The names of the public functions, one a line, as the header has them: sh functions.sh gan.h
exec awk '
  /^GAN_API / { declaration = "" ; inside = 1 }
  inside { declaration = declaration " " $0 }
  inside && /;/ {
    inside = 0
    sub(/\(.*/, "", declaration)
    sub(/.*[ *]/, "", declaration)
    print declaration
  }' "$1"
