#!/usr/bin/env bash
# Fuzzes a reader of foreign bytes with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer
# (docs/reliability.md). Needs clang and Debian's libclang-rt-14-dev.
#
#   tools/fuzz.sh --list                 the targets
#   tools/fuzz.sh TARGET SECONDS         builds build/fuzz, and runs the target for so long
#   tools/fuzz.sh TARGET FILE            reads one input, such as a finding, again
#   KINDRED_FUZZ_BUILD=no ...            with what is built already
#
# Inputs are kept in build/fuzz/work/TARGET/corpus, so a later run goes on from them; a finding is in
# build/fuzz/work/TARGET/findings, and ends the run with status 1. An input that is small and was mended belongs into
# tests/fuzz/corpus/TARGET, which the test fuzz_corpus_test reads.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."

usage() { sed -n '2,12s/^# \{0,1\}//p' tools/fuzz.sh; exit "${1:-2}"; }
[ $# -gt 0 ] || usage
[ "$1" != --help ] || usage 0

if [ "${KINDRED_FUZZ_BUILD:-yes}" != no ]; then
  [ -e build/fuzz/build.ninja ] || cmake --preset fuzz >&2
  cmake --build --preset fuzz >&2
fi
fuzzer=build/fuzz/bin/fuzzer
[ -x "$fuzzer" ] || { echo "$fuzzer is not there; build it first: cmake --preset fuzz && cmake --build --preset fuzz" >&2; exit 2; }

# LibTorch and OpenCV are not instrumented: containers that they fill look overflown.
export ASAN_OPTIONS="detect_container_overflow=0:detect_odr_violation=0:handle_abort=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

if [ "$1" = --list ]; then exec "$fuzzer" --targets; fi
[ $# -eq 2 ] || usage
target=$1
"$fuzzer" --targets | grep -qx -- "$target" || { echo "there is no target '$target'; tools/fuzz.sh --list shows them" >&2; exit 2; }
export KINDRED_FUZZ_TARGET=$target

# Files of the readers lie in memory.
memory=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/kindred-fuzz-XXXXXX")
trap 'rm -rf "$memory"' EXIT
export TMPDIR=$memory OPENCV_TEMP_PATH=$memory

limits=(-timeout=30 -report_slow_units=30 -rss_limit_mb=3000 -malloc_limit_mb=600)
if [ -f "$2" ]; then "$fuzzer" "${limits[@]}" "$2"; exit; fi
[[ $2 =~ ^[1-9][0-9]*$ ]] || { echo "'$2' is neither a file nor a number of seconds from 1" >&2; exit 2; }

work=build/fuzz/work/$target
mkdir -p "$work/corpus" "$work/findings"
"$fuzzer" --seeds "$work/corpus"
folders=("$work/corpus")
[ ! -d "tests/fuzz/corpus/$target" ] || folders+=("tests/fuzz/corpus/$target")

status=0
"$fuzzer" "${limits[@]}" -max_total_time="$2" -max_len=16384 -print_final_stats=1 -reload=0 \
  -artifact_prefix="$work/findings/" "${folders[@]}" >"$work/log" 2>&1 || status=$?

executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log" | tail -1 || true)
edges=$(grep -o 'cov: [0-9]*' "$work/log" | tail -1 | cut -d' ' -f2 || true)
findings=$(find "$work/findings" -type f | wc -l)
echo "$target: ${executions:-0} executions, ${edges:-0} edges, $(find "$work/corpus" -type f | wc -l) inputs, $findings findings"
if [ "$status" -ne 0 ]; then
  grep -m1 -E 'ERROR: |runtime error: ' "$work/log" >&2 || true
  echo "the end of it is in $work/log; again: tools/fuzz.sh $target $(find "$work/findings" -type f -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2)" >&2
fi
exit "$status"
