"""Whether a file is on disk before it gets its name, and the name after, as those of new folders: what a loss of power
needs."""

import sys
from pathlib import Path

from fault_campaigns.workplace import OF_THE_MOMENT


class OrderCheck:
    def __init__(self, place):
        self.place = place
        self.checked = 0

    def run(self, commands):
        """Returns how many names came too early, or never."""
        violated = sum(self._check(command) for command in commands)
        if self.checked == 0:
            sys.exit("error: nothing was tested: the commands gave no file its name, or the library did not see it")
        return violated

    def _check(self, command):
        violated = 0
        unsynced, named, checked = set(), {}, 0
        for call, _, path, former, _ in self.place.calls(command, self.place.fresh(command, "recorded")):
            if call == "write":
                unsynced.add(path)
            elif call == "sync":
                # fsync() of a folder is of its names alone, syncfs() of all that lies below it too.
                below = path + "/" if former == "*" else None
                unsynced = {name for name in unsynced if name != path and not (below and name.startswith(below))}
                named = {name: folder for name, folder in named.items()
                         if folder != path and not (below and name.startswith(below))}
            elif call == "mkdir":
                checked += 1
                named[path] = str(Path(path).parent)
            elif call == "rename":
                checked += 1
                dirty = sorted(name for name in unsynced if name == former or name.startswith(former + "/"))
                if dirty:
                    violated += 1
                    print(f"{command.name}: {path} gets its name before {dirty[0]} is on disk")
                named[path] = str(Path(path).parent)
        for name in sorted(named):
            if Path(name).exists() and not OF_THE_MOMENT.search(name):
                violated += 1
                print(f"{command.name}: the name of {name} is never put on disk")
        print(f"{command.name}: {checked} names checked")
        self.checked += checked
        return violated
