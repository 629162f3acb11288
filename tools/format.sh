#!/usr/bin/env bash
# Formats all C++ sources by .clang-format. Needs clang-format 14: other versions break lines elsewhere.
#
#   tools/format.sh            formats in place
#   tools/format.sh --check    changes nothing; names what is not formatted, and then exits with 1
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1:-}" in
  "") mode=(-i) ;;
  --check) mode=(--dry-run -Werror) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' tools/format.sh; exit 2 ;;
esac
for formatter in clang-format-14 clang-format ""; do
  [ -n "$formatter" ] || { echo "error: tools/format.sh needs clang-format 14; install the package clang-format-14" >&2; exit 1; }
  ! "$formatter" --version 2>/dev/null | grep -q 'version 14\.' || break
done
find framework plugins python tests tools examples/cpp \( -name '*.h' -o -name '*.cpp' \) -print0 |
  xargs -0 -n 40 -P "$(nproc)" "$formatter" "${mode[@]}" ||
  { [ "${mode[0]}" = -i ] || echo "error: these files are not formatted; run tools/format.sh" >&2; exit 1; }
