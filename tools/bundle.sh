#!/usr/bin/env bash
# Makes a folder that runs on another Linux machine without installing anything there but PyTorch in a virtual
# environment: launcher, plugins, benchmarks, recipes, documentation and all libraries but LibTorch. docs/bundle.md
# says how to use it.
#
#   tools/bundle.sh [--torch DIR] [--out FILE.tar.xz|FOLDER] [--jobs N] [--with-faiss]
#
# --torch DIR   the PyTorch to build against: a virtual environment with it, or its package torch; without, that of
#               KINDRED_TORCH, then that of python3. One for the CPU gives a bundle that runs with CUDA too.
# --out         an archive, or with another name than *.tar.xz a folder that does not exist yet; without,
#               build/kindred-VERSION-torch-VERSION-SYSTEM.tar.xz. The last line of the output is its name.
# --jobs N      as many compilers at a time; without, as many as there are processors
# --with-faiss  the plugin faiss too, approximate indexes of a gallery; its libraries double the size of the bundle
#
# Builds Kindred in build/release-torch-VERSION, and the three modules of Debian's OpenCV that are needed, without what
# Debian's packages of them drag in, in build/opencv-VERSION. Both are kept, so the next bundle takes a minute.
set -euo pipefail
here=$PWD
CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }
. tools/bundle/torch.sh

torch=${KINDRED_TORCH:-} out="" jobs=$(nproc) with_faiss=no
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,17s/^# \{0,1\}//p' tools/bundle.sh; exit 0 ;;
    --torch | --out | --jobs)
      [ $# -ge 2 ] || fail "$1 needs a value; see tools/bundle.sh --help"
      case "$1" in --torch) torch=$2 ;; --out) out=$2 ;; --jobs) jobs=$2 ;; esac
      shift 2 ;;
    --with-faiss) with_faiss=yes; shift ;;
    *) fail "unknown option '$1'; see tools/bundle.sh --help" ;;
  esac
done

# Paths that a user names begin where the user is.
[ -z "$torch" ] || torch=$(cd "$here" && realpath -ms -- "$torch")
[ -z "$out" ] || out=$(cd "$here" && realpath -ms -- "$out")

named=${torch:-$(torch_of_python)}
[ -n "$named" ] || fail "no PyTorch was found; name one with --torch DIR: python3 -m venv DIR && DIR/bin/pip install torch"
torch=$(torch_folder "$named") || fail "$named: no lib/libtorch.so is there, nor in a package torch below"
torch_version=$(torch_version "$torch")
torch_version=${torch_version%%+*}
[ -n "$torch_version" ] || fail "$torch: its version is unknown; take a package of pip or an archive of pytorch.org"
[ -e "$torch/share/cmake/Torch/TorchConfig.cmake" ] || fail "$torch: share/cmake/Torch is missing; take a package of pip or an archive of pytorch.org"

version=$(sed -n 's/^#define KINDRED_VERSION "\(.*\)".*/\1/p' framework/include/kindred/version.h)
[ -n "$version" ] || fail "framework/include/kindred/version.h: no version of Kindred is there"
[ -n "$out" ] || out=build/kindred-$version-torch-$torch_version-linux-$(uname -m).tar.xz
archive=""
case "$out" in
  *.tar.xz) archive=$(realpath -m "$out") ;;
  *.tar.* | *.zip | *.tgz) fail "--out $out: the archive is always .tar.xz; any other name is that of a folder" ;;
esac
[ -n "$archive" ] || [ ! -e "$out" ] || fail "--out $out exists; remove it, or name another folder"
mkdir -p "$(dirname "$out")"

KINDRED_TORCH=$torch tools/setup.sh packages bundle

# The modules of OpenCV, of the version whose headers Kindred is compiled with: what Debian's own are linked to, from
# GDAL to Qt, would be in the bundle otherwise.
opencv_version=$(pkg-config --modversion opencv4)
opencv=$PWD/build/opencv-$opencv_version
if [ ! -e "$opencv/installed" ]; then
  mkdir -p "$opencv/sources" "$opencv/apt/lists/partial" "$opencv/apt/cache/archives/partial" "$opencv/apt/parts"
  if [ ! -e "$opencv/unpacked" ]; then
    say "Fetching the source of OpenCV $opencv_version"
    # Sources are listed in a folder of our own: this system's lists stay as they are, and root is not needed.
    tools/bundle/sources.sh /etc/apt "$opencv/apt/parts"
    apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$opencv/apt/parts"
      -o "Dir::State::lists=$opencv/apt/lists" -o "Dir::Cache=$opencv/apt/cache" -o APT::Sandbox::User=)
    log=$opencv/fetch.log
    # A source of packages without sources is no reason to stop.
    "${apt[@]}" update >"$log" 2>&1 || true
    (cd "$opencv/sources" && "${apt[@]}" source --download-only opencv) >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "the source of OpenCV could not be fetched; full log: $log"; }
    tar -C "$opencv/sources" --strip-components 1 -xf "$opencv"/sources/opencv_"$opencv_version"*.orig.tar.*
    touch "$opencv/unpacked"
  fi
  say "Building OpenCV $opencv_version: core, imgproc and imgcodecs (JPEG, PNG, WebP, BMP, PPM)"
  off=() log=$opencv/build.log
  # All that may be found on this machine and would have to be found on the other.
  for option in WITH_{1394,ADE,EIGEN,FFMPEG,GDAL,GDCM,GSTREAMER,GTK,IPP,ITT,JASPER,LAPACK,OPENCL,OPENEXR,OPENJPEG} \
    WITH_{OPENMP,PROTOBUF,QT,QUIRC,TBB,TIFF,V4L,VA,VA_INTEL,VTK} WITH_IMGCODEC_{HDR,PFM,SUNRASTER} \
    BUILD_{TESTS,PERF_TESTS,EXAMPLES,JAVA,opencv_apps,opencv_python2,opencv_python3} CV_TRACE ENABLE_PRECOMPILED_HEADERS; do
    off+=("-D$option=OFF")
  done
  # The processors of Debian's package: SSE2, and by dispatch all that is newer.
  cmake -S "$opencv/sources" -B "$opencv/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_INSTALL_PREFIX="$opencv/prefix" \
    -DBUILD_LIST=core,imgproc,imgcodecs -DBUILD_SHARED_LIBS=ON -DCPU_BASELINE=SSE2 -DCPU_BASELINE_DISABLE=SSE3 \
    -DOPENCV_DOWNLOAD_TRIES_LIST= -DBUILD_INFO_SKIP_TIMESTAMP=ON "${off[@]}" >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; fail "CMake could not configure OpenCV; full log: $log"; }
  { cmake --build "$opencv/build" -j "$jobs" && cmake --install "$opencv/build" --strip; } >>"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; fail "OpenCV could not be built; full log: $log"; }
  touch "$opencv/installed"
fi

# Whatever the build folder was made with: the bundle has the benchmarks, and runs without CUDA too.
build=$(CMAKE_BUILD_PARALLEL_LEVEL=$jobs KINDRED_TORCH=$torch \
  KINDRED_CMAKE="-DKINDRED_BENCH=ON -DKINDRED_NCCL=OFF ${KINDRED_CMAKE:-}" tools/setup.sh runtime kindred_bench)

scratch=$(mktemp -d "$(realpath "$(dirname "$out")")/bundle.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
name=$(basename "${out%.tar.xz}")
bundle=$scratch/$name
cmake --install "$build" --prefix "$bundle" --strip >/dev/null
# Headers, CMake files and the library for applications are of use beside compilers and the LibTorch of the build alone.
rm -r "$bundle/include" "$bundle/lib/cmake" "$bundle"/lib/libkindred.so*
[ "$with_faiss" = yes ] || rm -f "$bundle/lib/kindred/plugins/faiss.so"
mkdir "$bundle/libexec"
mv "$bundle/bin/kindred" "$bundle/libexec/"
install -m 755 --strip "$build/bin/kindred-bench" "$bundle/libexec/"
cp tools/bundle/torch.sh "$bundle/libexec/"
# What kindred-bench runs beside itself, where it lies in the source tree relative to configs/.
mkdir -p "$bundle/share/kindred/tools/bench"
cp tools/bench/*.py "$bundle/share/kindred/tools/bench/"
for program in kindred kindred-bench; do install -m 755 tools/bundle/start.sh "$bundle/bin/$program"; done
echo "$torch_version" >"$bundle/share/kindred/torch-version"

binaries=("$bundle"/libexec/kindred{,-bench} "$bundle"/lib/libkindred_plugin_api.so.* "$bundle"/lib/kindred/plugins/*.so)
libraries=$(LD_LIBRARY_PATH=$opencv/prefix/lib:$bundle/lib:$torch/lib tools/bundle/libraries.sh "$torch/lib" "${binaries[@]}")
# Debian lists some files of /usr/lib as those of /lib.
package_of() {
  local listed
  listed=$(dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "${1#/usr}" 2>/dev/null || true)
  printf '%s' "${listed%%:*}"
}
licenses=$bundle/share/kindred/licenses
mkdir "$licenses"
cp LICENSE NOTICE "$licenses/"
while read -r library; do
  # By the name that others need it by.
  soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
  case "$library" in
    "$bundle"/*) continue ;;
    "$opencv"/*) cp "$opencv/sources/COPYRIGHT" "$licenses/opencv" ;;
    *)
      package=$(package_of "$(realpath "$library")")
      [ -e "/usr/share/doc/$package/copyright" ] || fail "$library: the license of the package that it comes from was not found"
      cp -L "/usr/share/doc/$package/copyright" "$licenses/$package" ;;
  esac
  install -m 644 --strip "$library" "$bundle/lib/$soname"
done <<<"$libraries"
# What is compiled in.
compiled_in=(libboost-dev libcli11-dev libgloo-dev nlohmann-json3-dev)
[ "$with_faiss" = no ] || compiled_in+=(libfaiss-dev)
for package in "${compiled_in[@]}"; do cp -L "/usr/share/doc/$package/copyright" "$licenses/$package"; done
# Only the names that are loaded.
find "$bundle/lib" -maxdepth 1 -type l -delete
for library in "$bundle"/lib/libkindred_plugin_api.so.*; do
  soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
  [ "$(basename "$library")" = "$soname" ] || mv "$library" "$bundle/lib/$soname"
done

# DT_RPATH, which comes before the user's LD_LIBRARY_PATH, and no path of this machine.
patchelf --force-rpath --set-rpath '$ORIGIN/../lib' "$bundle"/libexec/kindred{,-bench}
patchelf --force-rpath --set-rpath '$ORIGIN' "$bundle"/lib/*.so.*
patchelf --force-rpath --set-rpath '$ORIGIN/../..' "$bundle"/lib/kindred/plugins/*.so

# The newest version of a library that anything in the bundle asks for.
highest() {
  objdump -T "$bundle"/libexec/kindred{,-bench} "$bundle"/lib/*.so.* "$bundle"/lib/kindred/plugins/*.so |
    grep -o "$1_[0-9.]*[0-9]" | sort -uV | tail -1 | sed 's/.*_//'
}
glibc=$(highest GLIBC)
sed -e "s/@VERSION@/$version/g" -e "s/@TORCH@/$torch_version/g" -e "s/@GLIBC@/$glibc/g" \
  -e "s/@GLIBCXX@/$(highest GLIBCXX)/g" tools/bundle/README.txt >"$bundle/README.txt"

KINDRED_TORCH=$torch "$bundle/bin/kindred" --version >&2
warnings=$(KINDRED_TORCH=$torch "$bundle/bin/kindred" list 2>&1 >/dev/null) || fail "the bundle does not run: $warnings"
[ -z "$warnings" ] || fail "the bundle does not load all of its plugins: $warnings"

if [ -n "$archive" ]; then
  tar -C "$scratch" --owner 0 --group 0 -cf - "$name" | xz -T "$jobs" -6 >"$scratch/archive"
  mv "$scratch/archive" "$archive"
else
  mv "$bundle" "$out"
fi
say "$(du -sm "$out" | cut -f1) MiB, for PyTorch $torch_version and glibc $glibc or newer"
echo "$out"
