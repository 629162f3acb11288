#!/usr/bin/env bash
# Writes lists of sources for the lists of packages of a system, in both formats; it may have either, or both.
#
#   tools/bundle/sources.sh /etc/apt FOLDER
set -euo pipefail
shopt -s nullglob
: >"$2/source.sources"
: >"$2/source.list"
# An empty line ends a paragraph, also where a file ends.
for file in "$1"/sources.list.d/*.sources; do
  [ ! -r "$file" ] || sed -e 's/^Types:.*/Types: deb-src/' -e '$G' "$file" >>"$2/source.sources"
done
for file in "$1"/sources.list "$1"/sources.list.d/*.list; do
  [ ! -r "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >>"$2/source.list"
done
