#!/usr/bin/env python3
"""Prints which folder ("room") of framework/src includes which, and exits with 1 where an #include breaks a rule:

- A room includes only rooms of the levels before its own; rooms of one level may include each other, but not in a circle.
- A public header includes the standard library, LibTorch, OpenCV and public headers. One role knows of no other.
- A plugin includes its own files, public headers and libraries: nothing of framework/src and of no other plugin.
- A library that the engine wraps is included by the file that wraps it, and by no other.

tools/dependencies.py [ROOT]      ROOT: another source tree than the one this file lies in
"""
import collections
import graphlib
import pathlib
import re
import sys

# The order of the rooms: from what knows nothing of the others to what knows all.
LEVELS = [
    "api",  # framework/include too
    "text file system",
    "recipe plugin progress",
    "data model weights",
    "inference results",
    "ranking",
    "application",
    "training",
    "speed",
    "stage",
    "pipeline",
    "study",
    "report",
    "service",
    "command",
]
# What begins so is included only by the files named here (paths below framework/src).
WRAPPED = {
    "boost/dll/": ["plugin/plugin_loader.cpp"],
    "toml++/": ["recipe/toml_reader.cpp"],
    "spdlog/": ["progress/run_log.cpp"],
    "openssl/": ["file/sha256.cpp"],
    "zlib.h": ["api/text/mat_file.cpp", "application/gallery_log.cpp"],
    "zip.h": ["file/zip.cpp"],
    "httplib.h": ["service/http_server.cpp"],
}
# What public headers may include beside the standard library and each other.
PUBLIC_LIBRARIES = ("torch/", "ATen/", "c10/", "opencv2/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)


class Tree:
    def __init__(self, root):
        self.root = root
        self.errors = []

    def includes(self, folder):
        """(file, line, name, whether in quotes) of each #include below a folder; files relative to it."""
        for file in sorted((self.root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            text = file.read_text(encoding="utf-8")
            for match in INCLUDE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield file, line, match.group(1) or match.group(2), match.group(2) is not None

    def error(self, file, line, message):
        self.errors.append(f"{file.relative_to(self.root)}:{line}: error: {message}")


def room_arrows(tree):
    """The lines of #includes from one room to another: {(from, to): [(file, line)]}."""
    source = tree.root / "framework/src"
    arrows = collections.defaultdict(list)
    for file, line, name, quoted in tree.includes("framework/src"):
        parts = file.relative_to(source).parts
        if len(parts) == 1:  # the precompiled header
            continue
        if not quoted:
            wrapped = next((prefix for prefix in WRAPPED if name.startswith(prefix)), None)
            if wrapped is not None and "/".join(parts) not in WRAPPED[wrapped]:
                tree.error(file, line, f"only {', '.join(WRAPPED[wrapped])} may include <{wrapped}...>")
            continue
        if name.startswith("kindred/"):
            to = "api"
        elif (source / name).is_file() and "/" in name:
            to = name.split("/")[0]
        elif (file.parent / name).is_file():
            to = parts[0]
        else:
            tree.error(file, line, f'there is no "{name}" in framework/src or in the file\'s folder')
            continue
        arrows[parts[0], to].append((file, line))
    return arrows


def check_rooms(tree, arrows):
    """Which arrows are forbidden."""
    level = {room: number for number, rooms in enumerate(LEVELS) for room in rooms.split()}
    unknown = sorted({room for arrow in arrows for room in arrow} - set(level))
    for room in unknown:
        tree.errors.append(f"framework/src/{room}: error: the room has no place in the order; give it one in LEVELS "
                           "of tools/dependencies.py")
    forbidden = set()
    for start, end in arrows:
        if start != end and level.get(start, -1) < level.get(end, -1):
            forbidden.add((start, end))
            for file, line in arrows[start, end]:
                tree.error(file, line, f"room {start} may not include room {end}, which is of a later level")
    for rooms in LEVELS:
        names = rooms.split()
        graph = {room: [to for to in names if to != room and (room, to) in arrows] for room in names}
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            circle = error.args[1][::-1]
            forbidden.update(zip(circle, circle[1:]))
            tree.errors.append(f"framework/src: error: rooms include each other in a circle: {' -> '.join(circle)}")
    return forbidden, unknown


def print_table(arrows, forbidden, unknown):
    """A row for each room, with the number of #includes of the room whose number heads the column; ! forbidden."""
    present = {room for arrow in arrows for room in arrow}
    rooms = [room for rooms in LEVELS for room in rooms.split() if room in present] + unknown
    print("#includes from a room (row) to a room (column); a forbidden arrow is marked with !")
    print(" " * 13 + "".join(f"{number:5}" for number in range(1, len(rooms) + 1)))
    for number, start in enumerate(rooms, 1):
        row = f"{number:2} {start:10}"
        for end in rooms:
            count = len(arrows.get((start, end), []))
            text = "-" if start == end else f"{count or '.'}{'!' if (start, end) in forbidden else ''}"
            row += f"{text:>5}"
        print(row.rstrip())


def check_public_headers(tree):
    for file, line, name, quoted in tree.includes("framework/include"):
        path = file.relative_to(tree.root / "framework/include").as_posix()
        if quoted:
            if not name.startswith("kindred/") or not (tree.root / "framework/include" / name).is_file():
                tree.error(file, line, f'a public header may not include "{name}": only "kindred/..." is installed')
            elif path.startswith("kindred/role/") and name.startswith("kindred/role/"):
                tree.error(file, line, f'a role may not know another one: move what both need out of "{name}"')
        elif not name.startswith(PUBLIC_LIBRARIES) and ("/" in name or "." in name):
            tree.error(file, line, f"a public header may not include <{name}>: only the standard library, LibTorch "
                                   "and OpenCV")


def check_plugins(tree):
    for file, line, name, quoted in tree.includes("plugins"):
        plugin = file.relative_to(tree.root / "plugins").parts[0]
        own = tree.root / "plugins" / plugin
        if name.startswith("kindred/") and (tree.root / "framework/include" / name).is_file():
            continue
        if quoted and not any((folder / name).resolve().is_relative_to(own.resolve()) and (folder / name).is_file()
                              for folder in (file.parent, own)):
            tree.error(file, line, f'a plugin may not include "{name}": only its own files and public headers')


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]).resolve()
    if not (root / "framework/src").is_dir():
        sys.exit(f"error: {root} has no folder framework/src; give the root of a source tree")
    tree = Tree(root)
    arrows = room_arrows(tree)
    forbidden, unknown = check_rooms(tree, arrows)
    print_table(arrows, forbidden, unknown)
    check_public_headers(tree)
    check_plugins(tree)
    sys.stdout.flush()
    for error in tree.errors:
        print(error, file=sys.stderr)
    return 1 if tree.errors else 0


if __name__ == "__main__":
    sys.exit(main())
