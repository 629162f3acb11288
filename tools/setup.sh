#!/usr/bin/env bash
# Set-up shared by run.sh and test.sh: packages, configure, build. Does what is missing and nothing else.
#
#   tools/setup.sh TARGET...      build these targets ("runtime": launcher and plugins; "all": tests as well)
#   tools/setup.sh packages       install the packages, and no more; "packages all": those of the tests as well
#
# Prints the build folder on stdout, everything else on stderr.
# KINDRED_TORCH=DIR   another LibTorch than Debian's: the folder that `torch.utils.cmake_prefix_path` names, or a
#                     LibTorch archive's. It is built in a folder of its own.
# KINDRED_CMAKE=...   more options for CMake, taken when a build folder is configured: -DKINDRED_TESTS=OFF
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

[ $# -gt 0 ] || fail "tools/setup.sh needs a target: runtime, all or packages"

# g++ and make are what CMake takes by itself: for plugins built outside of this tree.
packages=(clang g++ make cmake ninja-build pkg-config
  libopencv-dev libopenblas0-openmp libboost-dev libtomlplusplus-dev libspdlog-dev libcli11-dev
  nlohmann-json3-dev libssl-dev libzip-dev doctest-dev)
[ -n "${KINDRED_TORCH:-}" ] || packages+=(libtorch-dev)
# The checks of the source text: tools/*.py and tools/format.sh.
case " $* " in *" all "*) packages+=(python3 clang-format) ;; esac

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  missing=()
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null || fail "these packages are missing; install them as root: apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    say "Installing ${#missing[@]} packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update -q &&
           "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      fail "apt-get could not install the packages above; the whole log is $log"
    fi
    rm -f "$log"
  fi
else
  say "This is no Debian: make sure that the equivalents of these packages are installed: ${packages[*]}"
fi
[ "$1" != packages ] || exit 0

build=build/release
read -ra options <<<"${KINDRED_CMAKE:-}"
if [ -n "${KINDRED_TORCH:-}" ]; then
  config=$(find -L "$KINDRED_TORCH" -maxdepth 4 -name TorchConfig.cmake -print -quit 2>/dev/null || true)
  [ -n "$config" ] || fail "KINDRED_TORCH=$KINDRED_TORCH holds no TorchConfig.cmake; give what 'python3 -c \"import torch; print(torch.utils.cmake_prefix_path)\"' prints"
  torch_dir=$(cd "$(dirname "$config")" && pwd)
  version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$torch_dir/TorchConfigVersion.cmake" | head -1)
  build=build/release-torch-${version:-other}
  # Its whole tree comes first: LibTorch's own files look further by name, and would find Debian's.
  options+=("-DTorch_DIR=$torch_dir" "-DCMAKE_PREFIX_PATH=$(dirname "$torch_dir");$(cd "$torch_dir/../../.." && pwd)")
fi

# A configured folder is kept; ninja configures again by itself when a CMake file changes.
if [ ! -f "$build/build.ninja" ] ||
   { [ -n "${KINDRED_TORCH:-}" ] && ! grep -q "^Torch_DIR:[A-Z]*=$torch_dir\$" "$build/CMakeCache.txt"; }; then
  say "Configuring $build"
  log=$(mktemp)
  if ! cmake --preset release -B "$build" "${options[@]}" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "CMake could not configure; the whole log is $log"
  fi
  rm -f "$log"
fi
say "Building $build ($*)"
cmake --build "$build" --target "$@" >&2 || fail "the build failed; the messages are above"
echo "$build"
