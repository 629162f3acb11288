"""Each call site of each command fails once."""

import collections
import concurrent.futures
import json
import queue
import random
import shutil
import signal
import subprocess
from pathlib import Path

from fault_campaigns.checks import Fault, Undisturbed, check_message
from fault_campaigns.commands import READING_CALLS

# The error that each kind of call fails with.
ERRORS = {"open": "EACCES", "look": "EMFILE", "read": "EIO", "write": "ENOSPC", "sync": "EIO", "close": "EIO",
          "rename": "EIO", "mkdir": "ENOSPC", "unlink": "EACCES", "truncate": "EIO", "lock": "ENOLCK",
          "map": "ENOMEM", "allocate": "ENOMEM", "thread": "EAGAIN"}
_COLUMNS = ["faults", "error", "done", "killed", "crash", "hangs", "violations"]


class CallCampaign:
    def __init__(self, place, options):
        self.place = place
        self.options = options

    def run(self, commands):
        """Returns how many faults violated something."""
        faults = []
        for command in commands:
            faults += self._disturb_all(command)
        self._print_table(faults)
        return sum(bool(fault.violations) for fault in faults)

    def _disturb_all(self, command):
        undisturbed = Undisturbed(self.place, command)
        sites = self._sites(command)
        print(f"{command.name}: {len(sites)} calls to disturb", flush=True)
        free_folders = queue.SimpleQueue()
        for number in range(self.options.jobs):
            free_folders.put(f"w{number:07d}")

        def disturb(site):
            folder = free_folders.get()
            try:
                return self._disturb(undisturbed, *site, folder)
            finally:
                free_folders.put(folder)

        faults = []
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for fault in pool.map(disturb, sites):
                faults.append(fault)
                if fault.violations:
                    print(f"  {fault.call}:{fault.number} {fault.path}: {fault.outcome}: "
                          f"{'; '.join(fault.violations)}\n    {fault.text}", flush=True)
        outcomes = collections.Counter(fault.outcome for fault in faults)
        print(f"{command.name}: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}", flush=True)
        return faults

    def _sites(self, command):
        """The calls to disturb: the first from each call site, or every one."""
        wanted = self.options.calls or list(ERRORS)
        seen = set()
        chosen = []
        for call, number, path, _, stack in self.place.calls(command):
            if call not in wanted or (not self.options.every and (call, stack) in seen):
                continue
            seen.add((call, stack))
            chosen.append((call, number, path.replace("/recorded", "/W")))
        if self.options.limit and len(chosen) > self.options.limit:
            chosen = random.Random(self.options.seed).sample(chosen, self.options.limit)
        return chosen

    def _disturb(self, undisturbed, call, number, path, folder):
        command = undisturbed.command
        fault = Fault(command, call, number, path)
        work = self.place.fresh(command, folder)
        effect = self.options.effect or ERRORS[call]
        environment = self.place.faults(work, f"{call}:{number}{'+' if self.options.lasting else ''}:{effect}")
        try:
            done = self.place.run(command.arguments(self.place.stock, work), environment)
        except subprocess.TimeoutExpired:
            fault.outcome = "hangs"
            fault.violations.append("hangs")
            return fault
        fault.text = done.stderr.strip()[-600:]
        self._judge_end(fault, done, effect)
        if fault.outcome == "error":
            check_message(fault, done.stderr, work)
        undisturbed.check_kept(work, fault.violations)
        unremoved = fault.outcome == "done" and call == "unlink"
        if fault.outcome == "done" and not (command.shows_what_it_can and call in READING_CALLS):
            undisturbed.check_ended(work, fault.violations, lambda name: unremoved)
        # What was only in the way stays for good where nothing is left to do.
        undisturbed.finish(work, fault.violations,
                           lambda name: unremoved and path.endswith(name.rsplit("/", 1)[-1]))
        if not fault.violations:
            shutil.rmtree(work, ignore_errors=True)
        return fault

    @staticmethod
    def _judge_end(fault, done, effect):
        if done.returncode == -signal.SIGKILL and effect.startswith("KILL"):
            fault.outcome = "killed"
        elif done.returncode == 0:
            fault.outcome = "done"
        elif done.returncode in (1, 2, 3):
            fault.outcome = "error"
        else:
            fault.outcome = "crash"
            fault.violations.append(f"ended by {signal.Signals(-done.returncode).name}" if done.returncode < 0
                                    else f"exit code {done.returncode}")

    def _print_table(self, faults):
        table = collections.defaultdict(collections.Counter)
        for fault in faults:
            for key in ((fault.command.name, fault.call), ("all", "all")):
                table[key]["faults"] += 1
                table[key][fault.outcome] += 1
                table[key]["violations"] += bool(fault.violations)
        print(f"\n{'COMMAND':<10} {'CALL':<9}" + "".join(f"{column.upper():>11}" for column in _COLUMNS))
        for (command, call), counts in table.items():
            print(f"{command:<10} {call:<9}" + "".join(f"{counts[column]:>11}" for column in _COLUMNS))
        if self.options.json:
            rows = [{"command": command, "call": call, **counts} for (command, call), counts in table.items()]
            Path(self.options.json).write_text(json.dumps(rows, indent=1) + "\n")
