"""What must hold after a command was disturbed."""

import re
import sys
import time
from pathlib import Path

from fault_campaigns.workplace import contents, names, results

FILE_CALLS = ("open", "look", "read", "write", "sync", "close", "rename", "mkdir", "unlink", "truncate", "lock")

# What may lie beside the results of a command that was disturbed: what is kept of before.
_KEPT = re.compile(r"(^|/)\.replaced/|tfevents")


class Fault:
    """One disturbed run, and what was wrong with it."""

    def __init__(self, command, call="", number=0):
        self.command = command
        self.call = call
        self.number = number
        self.path = "-"
        self.outcome = ""
        self.violations = []
        self.text = ""


class Undisturbed:
    """What a command finds, and what it makes of it when nothing fails."""

    def __init__(self, place, command):
        """Runs it twice: what differs then cannot be compared."""
        self.place = place
        self.command = command
        made = []
        for name in ("undisturbed", "undisturbed_too"):
            work = place.fresh(command, name)
            self.before = results(work)
            started = time.monotonic()
            done = place.run(command.arguments(place.stock, work))
            self.seconds = time.monotonic() - started
            if done.returncode != 0:
                sys.exit(f"{command.name}: exit code {done.returncode} without any fault\n{done.stderr}")
            made.append((results(work), names(work)))
        differ = {name for name, content in made[0][0].items() if content != made[1][0].get(name)}
        if differ:
            print(f"{command.name}: not compared, as it differs between undisturbed runs: "
                  f"{', '.join(sorted(differ))}")
        self.results = {name: content for name, content in made[0][0].items() if name not in differ}
        self.names = made[0][1] | made[1][1]

    def check_kept(self, work, violations):
        """Nothing that was there before is lost: it is there, or what replaces it, or it lies beside."""
        now = results(work)
        now_contents = set(now.values())
        for name, content in self.before.items():
            replaced = name in now and now[name] == self.results.get(name)
            if content not in now_contents and not replaced:
                violations.append(f"lost: {name}")
        self._check_inputs(violations)

    def _check_inputs(self, violations):
        """What the command only reads is as it was, and nothing has come to it."""
        now = contents(self.place.stock)
        for name in sorted({*now, *self.place.inputs}):
            if now.get(name) != self.place.inputs.get(name):
                violations.append(f"an input is not as it was: {name}")

    def check_ended(self, work, violations, may_stay=lambda name: False):
        """The results are those of the undisturbed command, and nothing else is there."""
        now = results(work)
        for name, content in self.results.items():
            if name not in now:
                violations.append(f"missing in the end: {name}")
            elif now[name] != content:
                violations.append(f"other bytes in the end: {name}")
        for name in sorted(names(work) - self.names):
            if not _KEPT.search(name) and not may_stay(name):
                violations.append(f"left over: {name}")

    def finish(self, work, violations, may_stay=lambda name: False):
        """Gives the command again, and checks what it ends with."""
        done = self.place.run(self.command.again(self.place.stock, work))
        if done.returncode != 0:
            now = results(work)
            complete = all(now.get(name) == content for name, content in self.results.items())
            if not (complete and "already exists" in done.stderr):
                violations.append("the command again: " + done.stderr.strip()[-300:])
        self.check_ended(work, violations, may_stay)


def check_message(fault, error, roots):
    """The message of a command that ended with an error is for users, and names the file or a folder that it is in.

    roots: the folders in which calls on files fail; naming them says nothing"""
    if "unexpected" in error or "fault of Kindred" in error:
        fault.violations.append("message: unexpected")
    elif "error" not in error:
        fault.violations.append("message: no error in it")
    elif fault.call in FILE_CALLS:
        path = Path(fault.path)
        # The file that a hidden one is to become, or a folder that holds it.
        name = re.sub(r"^\.(.+?)(\.\d+)?\.tmp$", r"\1", path.name)
        folders = [str(folder) for folder in (path, *path.parents)
                   if any(root in folder.parents for root in roots)]
        if name not in error and not any(folder in error for folder in folders):
            fault.violations.append(f"message: names neither {name} nor its folder")
