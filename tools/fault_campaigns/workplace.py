"""Where a campaign works: folders, the program in them, and the files that it leaves."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fault_campaigns.commands import ADDITIONS, make_stock

# Files whose content is about one run: times, process numbers, what happened. They are not compared, but that
# they are there is; of a checkpoint see end_results().
OF_THE_MOMENT = re.compile(
    r"(^|/)(\.lock|\.file_hashes|log\.txt|metrics\.jsonl|stage\.json|costs\.(json|md)"
    r"|events\.out\.tfevents\..*|checkpoint(\.previous)?\.safetensors)$")


def _digest(file, folder):
    """Of a file's content, whatever the folder is called that it may name."""
    return hashlib.sha256(file.read_bytes().replace(str(folder).encode(), b"FOLDER")).hexdigest()


def _files(folder):
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink()]


def contents(folder):
    """The content of each file by its path in the folder."""
    return {str(file.relative_to(folder)): _digest(file, folder) for file in _files(folder)}


def results(work):
    """The content of each file that is compared."""
    return {name: content for name, content in contents(work).items() if not OF_THE_MOMENT.search(name)}


def _checkpoint_digest(file, folder):
    """Of what a checkpoint holds but for how long metrics.jsonl is, which has times in it, and the checksum."""
    content = file.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8:begin])
        for key in ("metrics_position", "kindred.crc32"):
            header["__metadata__"].pop(key)
    except (ValueError, KeyError) as error:
        return f"damaged: {error!r}"
    text = json.dumps(header).replace(str(folder), "FOLDER")
    return hashlib.sha256(text.encode() + content[begin:]).hexdigest()


def end_results(work):
    """What is compared of a command that has ended: also its checkpoints, of which there are others on the way."""
    return results(work) | {str(file.relative_to(work)): _checkpoint_digest(file, work) for file in _files(work)
                            if file.name == "checkpoint.safetensors"}


def names(work, least_bytes=0):
    """All files, also those of the moment, whatever time is in their names."""
    return {re.sub(r"tfevents\.\d+", "tfevents.N", str(file.relative_to(work))) for file in _files(work)
            if file.stat().st_size >= least_bytes}


class Workplace:
    """A scratch folder with the stock, folders for commands, and how they are run."""

    def __init__(self, build, library, scratch):
        self.build = Path(build).resolve()
        self.launcher = self.build / "bin/kindred"
        self.library = Path(library).resolve() if library else self.build / "tests/lib/libkindred_faults.so"
        for needed in (self.launcher, self.library):
            if not needed.is_file():
                sys.exit(f"{needed}: does not exist; build the target faults")
        self.scratch = Path(tempfile.mkdtemp(prefix="kindred-faults-", dir=scratch)).resolve()
        self.stock = self.scratch / "stock"
        make_stock(self.stock, self.must)
        self.inputs = contents(self.stock)

    def program(self, arguments):
        """Arguments of a command as those of a process."""
        if arguments[0] == ADDITIONS:
            return [str(self.build / "tests/bin" / ADDITIONS), *map(str, arguments[1:])]
        return [str(self.launcher), *map(str, arguments)]

    def run(self, arguments, environment=None, seconds=300):
        return subprocess.run(self.program(arguments), env={**os.environ, **(environment or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", cwd=self.scratch, timeout=seconds, check=False)

    def must(self, *arguments, environment=None):
        done = self.run(arguments, environment)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode} without any fault\n{done.stderr}")

    def fresh(self, command, name):
        """A folder as the command finds it. Its path has always the same length, so that files have too."""
        work = self.scratch / name
        shutil.rmtree(work, ignore_errors=True)
        self._fired(work).unlink(missing_ok=True)
        work.mkdir()
        command.make(self.stock, work)
        return work

    def faults(self, work, fault="", log=None):
        """The environment in which a call fails (tests/faults/fault_plan.h): CALL:N:EFFECT, "": none does."""
        environment = {"LD_PRELOAD": str(self.library), "KINDRED_FAULT_UNDER": f"{work}:{self.stock}",
                       "KINDRED_FAULT_FIRED": str(self._fired(work))}
        if fault:
            environment["KINDRED_FAULT"] = fault
        if log:
            environment["KINDRED_FAULT_LOG"] = str(log)
        return environment

    def failed(self, work):
        """The path of the call that failed, "-" if it has none, or nothing if it has not come."""
        fired = self._fired(work)
        return fired.read_text(errors="replace") if fired.exists() else None

    def calls(self, command, work):
        """Which calls the command makes when nothing fails: (call, number, path, former path, stack).

        Those on files in its folder and in the stock, and those on none."""
        log = self.scratch / "calls.log"
        log.unlink(missing_ok=True)
        self.must(*command.arguments(self.stock, work), environment=self.faults(work, log=log))
        lines = [line.split("\t") for line in log.read_text(errors="replace").splitlines()]
        return [(call, int(number), path, former, stack) for call, number, path, former, stack in
                (line for line in lines if len(line) == 5)]

    @staticmethod
    def _fired(work):
        return work.with_name(work.name + ".fired")
