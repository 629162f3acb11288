# Where a LibTorch of PyTorch's own lies, and which. Read by start.sh and by tools/bundle.sh; for any POSIX shell.

# The folder with lib/libtorch.so for the folder that a user names: a package torch, what holds one (a virtual
# environment, site-packages, an unpacked archive), or torch.utils.cmake_prefix_path. Fails where there is none.
torch_folder() {
  for candidate in "$1" "$1/torch" "$1/libtorch" "$1/../.." "$1"/lib*/python3*/site-packages/torch; do
    if [ -e "$candidate/lib/libtorch.so" ]; then
      (CDPATH='' cd "$candidate" && pwd)
      return 0
    fi
  done
  return 1
}

# The package torch of the python3 on the PATH, without importing it. Prints nothing where there is none.
torch_of_python() {
  command -v python3 >/dev/null 2>&1 || return 0
  python3 -c '
from importlib.util import find_spec
found = find_spec("torch")
print(found.submodule_search_locations[0] if found and found.submodule_search_locations else "", end="")' 2>/dev/null || true
}

# The version of a folder of torch_folder(), such as 2.11.0+cu130.
torch_version() {
  if [ -e "$1/version.py" ]; then
    sed -n "s/^__version__ = ['\"]\([^'\"]*\)['\"].*/\1/p" "$1/version.py"
  elif [ -e "$1/build-version" ]; then
    cat "$1/build-version"
  fi
}
