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
# KINDRED_CMAKE=...   more options for CMake: -DKINDRED_BENCH=OFF. A build folder with other values is configured again.
# CMAKE_BUILD_PARALLEL_LEVEL=N   as many compilers at a time; without, as many as processors and free memory allow
set -euo pipefail
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

[ $# -gt 0 ] || fail "tools/setup.sh needs a target: runtime, all or packages"
case "$1" in -h | --help) sed -n '2,13s/^# \{0,1\}//p' tools/setup.sh; exit 0 ;; esac

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
    # A system with several architectures may have a package several times.
    states=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true)
    [[ " $states " == *" installed "* ]] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null || fail "packages are missing; as root, run: apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    say "Installing ${#missing[@]} packages: ${missing[*]}"
    # Nobody sees a question, so none may wait for an answer: sudo does not pass the variable on. Another program that
    # installs at this moment, as a new machine's updates do, is waited for.
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # DPkg::Lock::Timeout does not hold for the lists of packages.
    update_lists() {
      local try
      for try in {1..60}; do
        ! LC_ALL=C "${as_root[@]}" apt-get update -q || return 0
        tail -n 3 "$log" | grep -q "Could not get lock" || return 1
        sleep 5
      done
      return 1
    }
    if ! { update_lists &&
           "${as_root[@]}" apt-get install -y -q --no-install-recommends \
             -o DPkg::Lock::Timeout=300 "${missing[@]}"; } </dev/null >"$log" 2>&1; then
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
options=()
read -rd '' -a words <<<"${KINDRED_CMAKE:-}" || true
for word in "${words[@]}"; do
  if [ "${options[*]: -1}" = -D ]; then options[-1]=-D$word; else options+=("$word"); fi
done
if [ -n "${KINDRED_TORCH:-}" ]; then
  config=$(find -L "$KINDRED_TORCH" -maxdepth 4 -name TorchConfig.cmake -print -quit 2>/dev/null || true)
  [ -n "$config" ] || fail "KINDRED_TORCH=$KINDRED_TORCH contains no TorchConfig.cmake; use the output of: python3 -c 'import torch; print(torch.utils.cmake_prefix_path)'"
  torch_dir=$(CDPATH='' cd "$(dirname "$config")" && pwd)
  version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$torch_dir/TorchConfigVersion.cmake" | head -1)
  build=build/release-torch-${version:-other}
  options+=("-DTorch_DIR=$torch_dir")
fi

# Two at a time in one folder would each write over what the other builds. The lock ends with this script, also where
# what it started, such as the server of a compiler's cache, goes on and has the file open.
mkdir -p build
if command -v flock >/dev/null; then
  exec {lock}>"build/.${build#build/}.lock"  # hidden: build/release* is folders alone
  trap 'flock -u "$lock"' EXIT
  flock -n "$lock" || { say "Waiting for another build in $build"; flock "$lock"; }
fi

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt" 2>/dev/null || true; }

# Whether the build folder was configured, for this compiler and this checkout: a copy of a checkout, with its build
# folder, would build the sources of the first.
is_configured() {
  local option
  [ -f "$build/build.ninja" ] && [ "$(cached CMAKE_HOME_DIRECTORY)" -ef . ] || return 1
  for option in "${options[@]}"; do
    [[ $option == -DCMAKE_CXX_COMPILER[:=]* ]] || continue
    [ "$(command -v "${option#*=}")" -ef "$(cached CMAKE_CXX_COMPILER)" ] || return 1
  done
}

# Whether the build folder has all options of the form -DNAME=VALUE.
has_options() {
  local option name
  for option in "${options[@]}"; do
    [[ $option == -D*=* ]] || continue
    name=${option#-D} name=${name%%[:=]*}
    [ "$name" = CMAKE_CXX_COMPILER ] || [ "$(cached "$name")" = "${option#*=}" ] || return 1
  done
}

# A configured folder is kept; ninja reconfigures by itself when a CMake file changes. But what was missing when a folder
# was configured may have come since, such as that of the Python package: ./run.sh does without, ./test.sh installs it.
is_older_than_packages() {
  local package list
  for package in "${packages[@]}"; do
    for list in "${DPKG_ADMINDIR:-/var/lib/dpkg}/info/$package"{,:*}.list; do
      [ ! "$list" -nt "$build/build.ninja" ] || return 0
    done
  done
  return 1
}
by=()
if ! is_configured; then
  by=(--fresh --preset release)
  [ ! -f "$build/build.ninja" ] || say "$build was made for another checkout or compiler"
elif is_older_than_packages || ! has_options; then
  by=(-S .)  # by what it was configured with
fi
if [ ${#by[@]} -gt 0 ]; then
  say "Configuring $build"
  log=$(mktemp)
  if ! cmake "${by[@]}" -B "$build" "${options[@]}" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "CMake could not configure; full log: $log"
  fi
  rm -f "$log"
fi
# A compiler of what includes LibTorch takes up to about 1 GB, and ninja starts one for each processor and two more.
if [ -z "${CMAKE_BUILD_PARALLEL_LEVEL:-}" ] && [ -r /proc/meminfo ]; then
  # A container may have less than the machine.
  fit=$({ awk '$1 == "MemAvailable:" { print $2 "000" }' /proc/meminfo
          cat /sys/fs/cgroup/memory{.max,/memory.limit_in_bytes} 2>/dev/null || true; } |
    awk '/^[0-9]+$/ && (least == "" || $1 < least) { least = $1 } END { if (least != "") print int(least / 1e9) }')
  if [ -n "$fit" ] && [ "$fit" -lt $(($(nproc) + 2)) ]; then
    export CMAKE_BUILD_PARALLEL_LEVEL=$((fit > 1 ? fit : 1))
    say "The free memory is enough for $CMAKE_BUILD_PARALLEL_LEVEL at a time"
  fi
fi
say "Building $build ($*)"
cmake --build "$build" --target "$@" >&2 || fail "the build failed; see the messages above"
# Such as a plugin that has another name now: the launcher would load it.
ninja -C "$build" -t cleandead >/dev/null 2>&1 || true
echo "$build"
