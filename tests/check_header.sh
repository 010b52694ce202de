#!/bin/sh
# The header keeps its own rules: every group of functions has a comment in the fixed form, and only plain C99 is used.
#   sh check_header.sh gan.h
set -u
header=$1

awk '
function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; failed = 1 }
function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }

# Parameter names of a declaration: the last identifier of each comma-separated part.
function parameters(declaration, inside, parts, n, i, name) {
  inside = declaration
  sub(/^[^(]*\(/, "", inside)
  sub(/\);.*$/, "", inside)
  if (inside == "void") return
  n = split(inside, parts, ",")
  for (i = 1; i <= n; i++) {
    name = trim(parts[i])
    sub(/\[.*\]$/, "", name)
    sub(/.*[ *]/, "", name)
    used[name] = 1
    if (parts[i] ~ /\(/) complain("parameter " name ": a function type needs a name of its own")
  }
}

function end_group(name) {
  if (!in_group) return
  if (!has_comment) complain(functions ": no comment of the form /** ... */ right before it")
  else {
    if (comment !~ /Threads: /) complain(functions ": its comment has no \"Threads:\"")
    if (comment !~ /Since: [0-9]+\.[0-9]+/) complain(functions ": its comment has no \"Since:\"")
    if (fallible && comment !~ /Errors: /) complain(functions ": returns gan_status, but its comment has no \"Errors:\"")
    for (name in used) if (!(name in documented)) complain(functions ": parameter " name " is not documented")
    for (name in documented) if (!(name in used)) complain(functions ": documents " name ", which is no parameter")
  }
  in_group = has_comment = fallible = 0
  functions = ""
  split("", used)
  split("", documented)
}

/^\/\*\* / { in_comment = 1; has_comment = 1; comment = ""; split("", documented) }
in_comment {
  comment = comment " " $0
  # "   name  in borrowed; ..." with two blanks or more after the star
  if ($0 ~ /^ \*   ?[a-z_0-9]+ +(in|out|inout) (value|borrowed|copied|kept|owned)([;]|$)/) documented[$2] = 1
  else if ($0 ~ /^ \*   [a-z_0-9]+ +(in|out|inout) /) complain("ownership of " $2 " is none of value, borrowed, copied, kept, owned")
  if ($0 ~ /\*\/$/) in_comment = 0
  next
}

/^GAN_API / { in_group = 1; in_declaration = 1; declaration = "" }
in_declaration {
  declaration = declaration " " trim($0)
  if ($0 ~ /;/) {
    in_declaration = 0
    declaration = trim(declaration)
    name = declaration
    sub(/\(.*/, "", name)
    if (name ~ / gan_status [a-z]/) fallible = 1
    sub(/.*[ *]/, "", name)
    functions = functions (functions == "" ? "" : ", ") name
    count++
    if (name !~ /^gan_/) complain(name ": does not begin with gan_")
    if (declaration ~ /\.\.\./) complain(name ": has variable arguments")
    if (declaration ~ /(^|[ (])(bool|_Bool|long|int|unsigned|short|size_t|float|inline) [a-z]/) complain(name ": passes a type that is not of fixed size, or is inline")
    if (declaration !~ /\(void\)/ && declaration ~ /\(\)/) complain(name ": no parameter list")
    parameters(declaration)
  }
  next
}
/^$/ { end_group() }
END {
  end_group()
  if (count < 100) { printf "%s: only %d functions were found: is the form of the header still the same?\n", FILENAME, count; failed = 1 }
  exit failed
}' "$header" || exit 1

status=0
if grep -n '#include' "$header" | grep -v -E '<(stddef|stdint)\.h>'; then
  echo "$header: includes more than stddef.h and stdint.h"
  status=1
fi
if grep -n -E '^[[:space:]]*(static|inline)|: *[0-9]+;$' "$header"; then
  echo "$header: has a static or inline function, or a bit-field"
  status=1
fi
exit $status
