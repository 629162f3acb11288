#!/usr/bin/env bash
# Sets Kindred up (packages, build) and runs all tests.
#
#   ./test.sh                  everything
#   ./test.sh -R mgn           any options of ctest
#   KINDRED_TORCH=DIR ./test.sh     with another LibTorch (see tools/setup.sh)
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")"
case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' test.sh; exit 0 ;; esac
# An earlier KINDRED_CMAKE may have left them out of the build folder.
build=$(KINDRED_CMAKE="-DKINDRED_TESTS=ON ${KINDRED_CMAKE:-}" tools/setup.sh all)
exec ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel 2 "$@"
