#!/usr/bin/env bash
# Prints the paths of the shared libraries that a bundle takes: all that FILEs need, and those in turn, but for what
# lies in TORCH_LIB or belongs to the system of any machine that runs PyTorch. Libraries in FOLDERs of LD_LIBRARY_PATH
# come first.
#
#   tools/bundle/libraries.sh TORCH_LIB FILE...
set -euo pipefail
torch=$1
shift
# glibc, and the runtimes of gcc: an older copy of libstdc++ would come before what PyTorch needs, and of OpenMP a
# process may have one alone, which is PyTorch's.
is_of_system() {
  case "$1" in
    linux-vdso.* | ld-linux* | libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.*) ;;
    libstdc++.so.* | libgcc_s.so.* | libgomp.so.*) ;;
    *) return 1 ;;
  esac
}
declare -A path_of taken
# "	libz.so.1 => /usr/lib/libz.so.1 (0x00007f...)"; what is not found has no path.
while read -r line; do
  if [[ $line =~ ^([^ ]+)" => "(/.*)" (0x"[0-9a-f]+")"$ ]]; then path_of[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}; fi
done < <(for file in "$@"; do ldd "$file"; done)
queue=("$@")
while [ ${#queue[@]} -gt 0 ]; do
  file=${queue[0]}
  queue=("${queue[@]:1}")
  while read -r name; do
    if is_of_system "$name" || [ -e "$torch/$name" ] || [ -n "${taken[$name]:-}" ]; then continue; fi
    path=${path_of[$name]:-}
    [ -n "$path" ] || { echo "error: $file needs $name, which is not on this machine" >&2; exit 1; }
    taken[$name]=$path
    queue+=("$path")
  done < <(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }')
done
printf '%s\n' "${taken[@]}" | sort
