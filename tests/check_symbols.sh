#!/bin/sh
# What the shared library gives, takes, and holds:
#   sh check_symbols.sh libgan.so gan.h exported-symbols.txt [strip]
# Exported are exactly the functions of the header, which are exactly those of the list. Of the C library nothing is used that prints,
# ends the process, or reads or changes what belongs to the whole process. It has no writable globals but one, and it is small.
set -u
library=$1 header=$2 list=$3
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
complain() {
  echo "$*"
  failed=1
}

sort "$list" >"$work/listed"
sh "$here/functions.sh" "$header" | sort >"$work/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
difference=$(diff "$work/listed" "$work/declared") || complain "$header (>) and $list (<) differ:
$difference"
difference=$(diff "$work/declared" "$work/exported") || complain "$library (>) and $header (<) differ:
$difference"

cat >"$work/forbidden" <<'END'
printf fprintf vprintf vfprintf dprintf vdprintf putchar putc puts fputs fputc fwrite_unlocked perror stdout stderr stdin
abort exit _exit _Exit quick_exit atexit on_exit assert __assert_fail __assert raise kill
getenv secure_getenv setenv putenv unsetenv system popen
setlocale newlocale uselocale localeconv strtod strtof strtold atof scanf fscanf sscanf vsscanf
__isoc99_sscanf __isoc99_fscanf __isoc99_scanf __isoc23_sscanf __isoc23_fscanf
signal sigaction sigprocmask alarm setitimer fork
rand srand rand_r random srandom drand48 srand48 lrand48 mrand48
strtok strerror localtime gmtime asctime ctime tmpnam tempnam mktemp
malloc_usable_size mallopt fesetround fesetenv fedisableexcept
END
nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort >"$work/used"
for name in $(cat "$work/forbidden"); do
  # __printf_chk is printf with _FORTIFY_SOURCE
  grep -q -x -e "$name" -e "__${name}_chk" "$work/used" && complain "$library uses $name"
done

# The setting of BLAS belongs to the process; the count of its users is the one thing that is kept for it.
nm -f sysv "$library" | awk -F'|' '
  { for (i = 1; i <= NF; i++) gsub(/[ \t]/, "", $i) }
  $4 == "OBJECT" && $7 ~ /^\.(t?data|t?bss)$/ && $1 !~ /^(completed\.|__dso_handle|__TMC_END__|__cpu_|blas_(mutex|owners|threads_before)|__asan|__odr_asan|__tsan|__ubsan|__sancov)/ { print $1 }
' >"$work/writable"
if [ -s "$work/writable" ]; then complain "$library has writable globals: $(tr '\n' ' ' <"$work/writable")"; fi

limit=1048576
if strip -o "$work/stripped" "$library"; then
  size=$(wc -c <"$work/stripped")
  echo "stripped: $size bytes"
  [ "$size" -lt $limit ] || complain "$library is $size bytes when stripped; the limit is $limit"
fi

needed=$(objdump -p "$library" | awk '/NEEDED/ { print $2 }' | grep -v -E '^(libc|libm|libpthread|libopenblas|libblas|libcblas|libblis|ld-linux[^.]*)\.')
[ -z "$needed" ] || complain "$library needs more than BLAS, libm and threads: $needed"
exit $failed
