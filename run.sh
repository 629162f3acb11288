#!/usr/bin/env bash
# Sets Kindred up (packages, build) and runs a recipe from images to results: configs/quickstart.toml, and a report of it,
# unless another one is given.
#
#   ./run.sh                                    about 3 minutes on two processors once it is built
#   ./run.sh configs/market1501/small.toml --data DIR --run-dir runs/mine     any recipe, any option of `kindred run`
set -euo pipefail
here=$PWD
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")"
case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' run.sh; exit 0 ;; esac
build=$PWD/$(tools/setup.sh runtime)
# Paths that a user names begin where the user is.
if [ $# -gt 0 ]; then cd "$here"; exec "$build/bin/kindred" run "$@"; fi
"$build/bin/kindred" run configs/quickstart.toml
"$build/bin/kindred" report runs/quickstart
