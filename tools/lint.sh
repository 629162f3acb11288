#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) over C++ sources; exits with 1 when it finds anything. Needs clang-tidy 14 and the compile
# commands of a build folder in which each file is compiled alone: the preset `debug`, which it configures.
#
#   tools/lint.sh              over the files that differ from the branch `main`, uncommitted ones too
#   tools/lint.sh FILE...      over these
#   tools/lint.sh --all        over all: 20 seconds a file that includes LibTorch
#   KINDRED_BUILD=DIR          another build folder than build/debug
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { echo "error: $*" >&2; exit 1; }
build=${KINDRED_BUILD:-build/debug}
case "${1:-}" in
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' tools/lint.sh; exit 0 ;;
  --all) mapfile -t files < <(find framework plugins python tools tests -name '*.cpp' -o -name '*.h') ;;
  "") base=$(git merge-base HEAD "$(git rev-parse --verify -q origin/main || echo main)")
      mapfile -t files < <({ git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u) ;;
  *) files=("$@") ;;
esac
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || fail "tools/lint.sh needs clang-tidy 14; install the package clang-tidy"
if [ -z "${KINDRED_BUILD:-}" ]; then
  cmake --preset debug >/dev/null && cmake --build "$build" --target kindred_pch >/dev/null || fail "$build cannot be configured; run tools/setup.sh packages all first"
fi
[ -f "$build/compile_commands.json" ] || fail "$build holds no compile_commands.json; name a configured build folder in KINDRED_BUILD"

# A header is looked at through its own source file.
sources=()
for file in "${files[@]}"; do
  case "$file" in
    *.cpp) sources+=("$file") ;;
    *.h) [ ! -f "${file%.h}.cpp" ] || sources+=("${file%.h}.cpp") ;;
  esac
done
nothing() { echo "No C++ source to look at"; exit 0; }
[ ${#sources[@]} -gt 0 ] || nothing
mapfile -t sources < <(printf '%s\n' "${sources[@]}" | sort -u | while read -r file; do
  file=$(realpath -m --relative-to . -- "$file")
  if grep -qF "/$file\"" "$build/compile_commands.json"; then echo "$file"; else echo "left out, as it is not built: $file" >&2; fi
done)
[ ${#sources[@]} -gt 0 ] || nothing
echo "clang-tidy over ${#sources[@]} files"
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" "$tidy" -p "$build" --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|^Suppressed\|^Use -' >&2) || exit 1
