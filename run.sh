#!/usr/bin/env bash
# Sets Kindred up (packages, build) and runs a recipe from images to scores: configs/quickstart.toml unless
# another one is given.
#
#   ./run.sh                                    about 4 minutes on two processors once it is built
#   ./run.sh configs/market1501/small.toml --data DIR --run-dir runs/mine     any recipe, any option of `kindred run`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
build=$(tools/setup.sh runtime)
[ $# -gt 0 ] || set -- configs/quickstart.toml
exec "$build/bin/kindred" run "$@"
