#!/usr/bin/env bash
# Setup shared by run.sh and test.sh: packages, configure, build. Does only what is missing.
#
#   tools/setup.sh TARGET...      build these targets ("runtime": launcher and plugins; "all": tests too)
#   tools/setup.sh packages       only install the packages; "packages all": those of the tests too, "packages bundle":
#                                 those of tools/bundle.sh
#
# Prints the build folder on stdout, everything else on stderr.
# KINDRED_TORCH=DIR   use another LibTorch than that of Debian: the folder `torch.utils.cmake_prefix_path`, or that of
#                     an unpacked LibTorch archive. The build has its own folder.
# KINDRED_CMAKE=...   more options for CMake, used when a build folder is configured: -DKINDRED_TESTS=OFF
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

[ $# -gt 0 ] || fail "tools/setup.sh needs a target: runtime, all or packages"

# g++ and make are the defaults of CMake, for plugins built outside of this tree.
packages=(clang g++ make cmake ninja-build pkg-config
  libopencv-dev libjpeg-dev libgloo-dev libopenblas0-openmp libboost-dev libtomlplusplus-dev libspdlog-dev libcli11-dev
  nlohmann-json3-dev libssl-dev libzip-dev zlib1g-dev doctest-dev lld
  libonnx-dev libprotobuf-dev protobuf-compiler libfaiss-dev libcpp-httplib-dev)
[ -n "${KINDRED_TORCH:-}" ] || packages+=(libtorch-dev)
# The checks of the source text (tools/*.py and tools/format.sh), and the Python package with its tests.
case " $* " in *" all "*) packages+=(python3 clang-format python3-dev python3-numpy pybind11-dev) ;; esac
# tools/bundle.sh, which builds OpenCV from its source.
case " $* " in *" bundle "*) packages+=(libjpeg-dev libpng-dev libwebp-dev patchelf xz-utils) ;; esac

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  missing=()
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null || fail "packages are missing; as root, run: apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    say "Installing ${#missing[@]} packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update -q &&
           "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      fail "apt-get could not install the packages; full log: $log"
    fi
    rm -f "$log"
  fi
else
  say "This system is not Debian: make sure that equivalents of these packages are installed: ${packages[*]}"
fi
[ "$1" != packages ] || exit 0

build=build/release
read -ra options <<<"${KINDRED_CMAKE:-}"
if [ -n "${KINDRED_TORCH:-}" ]; then
  config=$(find -L "$KINDRED_TORCH" -maxdepth 4 -name TorchConfig.cmake -print -quit 2>/dev/null || true)
  [ -n "$config" ] || fail "KINDRED_TORCH=$KINDRED_TORCH contains no TorchConfig.cmake; use the output of: python3 -c 'import torch; print(torch.utils.cmake_prefix_path)'"
  torch_dir=$(cd "$(dirname "$config")" && pwd)
  version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$torch_dir/TorchConfigVersion.cmake" | head -1)
  build=build/release-torch-${version:-other}
  options+=("-DTorch_DIR=$torch_dir")
fi

# A configured folder is kept; ninja reconfigures by itself when a CMake file changes.
if [ ! -f "$build/build.ninja" ] ||
   { [ -n "${KINDRED_TORCH:-}" ] && ! grep -q "^Torch_DIR:[A-Z]*=$torch_dir\$" "$build/CMakeCache.txt"; }; then
  say "Configuring $build"
  log=$(mktemp)
  if ! cmake --preset release -B "$build" "${options[@]}" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "CMake could not configure; full log: $log"
  fi
  rm -f "$log"
fi
say "Building $build ($*)"
cmake --build "$build" --target "$@" >&2 || fail "the build failed; see the messages above"
echo "$build"
