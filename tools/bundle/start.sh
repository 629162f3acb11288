#!/bin/sh
# Starts the program of Kindred that has this file's name with the LibTorch of a Python's package torch:
#   kindred --torch DIR ...      that in DIR: a virtual environment, or a package torch
#   KINDRED_TORCH=DIR kindred    the same
#   kindred ...                  that of the python3 on the PATH
# Everything else that the program needs lies in ../lib.
set -eu
self=$(readlink -f "$0")
program=$(basename "$self")
bundle=$(dirname "$(dirname "$self")")
. "$bundle/libexec/torch.sh"
wanted=$(cat "$bundle/share/kindred/torch-version")
fail() { printf 'error: %s\n' "$1" >&2; exit "${2:-1}"; }
install="install it (python3 -m venv ~/torch && ~/torch/bin/pip install torch==$wanted) and name its folder: --torch ~/torch before all else, or KINDRED_TORCH=~/torch"

case "${1:-}" in
  --torch)
    [ $# -ge 2 ] || fail "--torch needs the folder of a virtual environment with PyTorch $wanted, or of its package torch" 2
    named=$2 by="--torch $2"
    shift 2 ;;
  --torch=*) named=${1#--torch=} by=$1; shift ;;
  *) named=${KINDRED_TORCH:-} by="KINDRED_TORCH=${KINDRED_TORCH:-}" ;;
esac
if [ -n "$named" ]; then
  torch=$(torch_folder "$named") ||
    fail "$by: no lib/libtorch.so is there, nor in a package torch below; this Kindred runs with PyTorch $wanted: $install"
else
  found=$(torch_of_python)
  [ -n "$found" ] || fail "no PyTorch was found: the python3 on the PATH has no package torch; this Kindred runs with PyTorch $wanted: $install"
  torch=$(torch_folder "$found") || fail "the package torch of python3, $found, has no lib/libtorch.so; $install"
fi

version=$(torch_version "$torch")
[ "${version%%+*}" = "$wanted" ] ||
  fail "$torch is PyTorch ${version:-of an unknown version}, but this Kindred was built for $wanted and fits no other; $install"

# For libtorch.so alone: it finds the others of its package from where it lies.
LD_LIBRARY_PATH=$torch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec "$bundle/libexec/$program" "$@"
