"""What is built runs on every x86-64 processor: instructions that only some have are in functions that are chosen by
the processor at hand, which are the variants of KINDRED_FOR_EACH_PROCESSOR (core/kernel.h) and those in a namespace
avx2.

    python3 tests/tools/processors_test.py FILE_OR_FOLDER...

Programs, libraries, or folders of libraries. Needs objdump. Exit code 1, and the functions, otherwise.
"""

import pathlib
import re
import subprocess
import sys

# With a prefix that processors without AVX do not know (VEX, EVEX): their names begin with v, and of masks with k.
NEWER = re.compile(r"^\s*(v(?!err|erw|m[a-z])[a-z]|k[a-z]+[bwdq]\s)")
CHOSEN = re.compile(r"\[clone \.avx|(^|::)avx2::")


def functions(file):
    """(name, one of its newer instructions or None) of each function."""
    listing = subprocess.run(
        ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", "--no-addresses", file],
        capture_output=True, text=True, check=True).stdout
    name, newer = None, None
    for line in listing.splitlines():
        if line.startswith("<") and line.endswith(">:"):
            if name is not None:
                yield name, newer
            name, newer = line[1:-2], None
        elif newer is None and NEWER.match(line):
            newer = line.strip()
    if name is not None:
        yield name, newer


def main():
    files = []
    for argument in map(pathlib.Path, sys.argv[1:]):
        files += sorted(argument.glob("*.so")) if argument.is_dir() else [argument]
    if not files:
        sys.exit("give programs, libraries, or folders of libraries")
    read = 0
    wrong = []
    for file in files:
        for name, newer in functions(file):
            read += 1
            if newer and not CHOSEN.search(name):
                wrong.append(f"{file.name}: {name}: {newer}")
    if wrong:
        sys.exit("ends with SIGILL on a processor without AVX:\n" + "\n".join(wrong))
    if read < 100 * len(files):
        sys.exit(f"only {read} functions found in {len(files)} files; are they stripped?")
    print(f"{read} functions of {len(files)} files")


main()
