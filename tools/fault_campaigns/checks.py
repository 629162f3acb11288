"""What must hold after a command was disturbed."""

import re
import time
from pathlib import Path

from fault_campaigns.commands import READING_CALLS
from fault_campaigns.workplace import OF_THE_MOMENT, contents, end_results, names, results

FILE_CALLS = ("open", "look", "stat", "read", "write", "sync", "close", "rename", "mkdir", "unlink", "truncate",
              "lock", "change")

# What may lie beside the results of a command that was disturbed: what is kept of before.
_KEPT = re.compile(r"(^|/)\.replaced/|tfevents")

# Files of the moment that may go: who holds a lock, what is found out again, what only stands in for another.
_PASSING = re.compile(r"(^|/)(\.lock|\.file_hashes|checkpoint\.previous\.safetensors)$")

# What may be there instead of a file of a training that goes on.
_MEANWHILE = {"stage.json": "started.json", "checkpoint.safetensors": "checkpoint.previous.safetensors"}


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
        """Runs it twice, once to record its calls: what differs then cannot be compared."""
        self.place = place
        self.command = command
        work = place.fresh(command, "undisturbed")
        self.before = results(work)
        self.moments_before = {name for name in names(work, least_bytes=1)
                               if OF_THE_MOMENT.search(name) and not _PASSING.search(name)}
        started = time.monotonic()
        place.must(*command.arguments(place.stock, work))
        self.seconds = time.monotonic() - started
        recorded = place.fresh(command, "recorded")
        self.calls = place.calls(command, recorded)
        made = [(end_results(folder), names(folder)) for folder in (work, recorded)]
        differ = {name for name, content in made[0][0].items() if content != made[1][0].get(name)}
        if differ:
            print(f"{command.name}: not compared, as it differs between undisturbed runs: "
                  f"{', '.join(sorted(differ))}")
        self.results = {name: content for name, content in made[0][0].items() if name not in differ}
        self.names = made[0][1] & made[1][1]
        self.possible_names = made[0][1] | made[1][1]

    def check_kept(self, work, violations):
        """Nothing that was there before is lost: it is there, or what replaces it, or it lies beside."""
        now = results(work)
        now_contents = set(now.values())
        for name, content in self.before.items():
            replaced = name in now and now[name] == self.results.get(name)
            if content not in now_contents and not replaced:
                violations.append(f"lost: {name}")
        filled = names(work, least_bytes=1)
        violations += [f"lost: {name}" for name in sorted(self.moments_before) if not _has_moment(name, filled)]
        self._check_inputs(violations)

    def _check_inputs(self, violations):
        """What the command only reads is as it was, and nothing has come to it."""
        now = contents(self.place.stock)
        for name in sorted({*now, *self.place.inputs}):
            if now.get(name) != self.place.inputs.get(name):
                violations.append(f"an input is not as it was: {name}")

    def check_ended(self, work, violations, may_stay=lambda name: False):
        """The results are those of the undisturbed command, and nothing else is there."""
        now = end_results(work)
        for name, content in self.results.items():
            if name in now and now[name] != content:
                violations.append(f"other bytes in the end: {name}")
        there = names(work)
        violations += [f"missing in the end: {name}" for name in sorted(self.names - there)]
        for name in sorted(there - self.possible_names):
            if not _KEPT.search(name) and not may_stay(name):
                violations.append(f"left over: {name}")

    def finish(self, work, violations, may_stay=lambda name: False):
        """Gives the command again, and checks what it ends with."""
        done = self.place.run(self.command.again(self.place.stock, work))
        if done.returncode != 0:
            now = end_results(work)
            complete = all(now.get(name) == content for name, content in self.results.items())
            if not (complete and "already exists" in done.stderr):
                violations.append("the command again: " + done.stderr.strip()[-300:])
        self.check_ended(work, violations, may_stay)


def _has_moment(name, filled):
    """Whether a file of the moment is there: where its stage begins anew, it is kept beside."""
    folder = Path(name).parent
    beside = folder.parent / ".replaced" / folder.name
    whole = [place for place in (folder, beside, beside.with_name(beside.name + ".aside"))
             if str(place / "stage.json") in filled]
    place = whole[0] if whole else folder
    file = Path(name).name
    return any(str(place / other) in filled for other in (file, _MEANWHILE.get(file, file)))


def says_what_it_lacks(work, done, path):
    """Whether a command, or a page that it made, names a file that it could not read."""
    name = Path(path).name
    return name in done.stderr or any(name in page.read_text() for page in work.rglob("*.html"))


def check_exit_code(fault, code, error):
    """What an exit code says (docs/troubleshooting.md) must be true of the file that the call failed on."""
    if code == 2 and not (fault.call in READING_CALLS and fault.path.endswith(".toml")):
        fault.violations.append("exit code 2, but no recipe or study failed")
    if code == 3 and not (fault.path == "-" and ".so: error: " in error):
        fault.violations.append("exit code 3, but no plugin failed")


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
