"""Each call site of each command fails once."""

import collections
import concurrent.futures
import json
import queue
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from fault_campaigns.checks import Fault, Undisturbed, check_exit_code, check_message, says_what_it_lacks
from fault_campaigns.commands import READING_CALLS

# The error that each kind of call fails with.
ERRORS = {"open": "EACCES", "look": "EMFILE", "stat": "EIO", "read": "EIO", "write": "ENOSPC", "sync": "EIO",
          "close": "EIO", "rename": "EIO", "mkdir": "ENOSPC", "unlink": "EACCES", "truncate": "EIO",
          "lock": "ENOLCK", "map": "ENOMEM", "allocate": "ENOMEM", "thread": "EAGAIN", "change": "EROFS"}
_COLUMNS = ["faults", "error", "done", "killed", "crash", "hangs", "unreached", "violations"]


class CallCampaign:
    def __init__(self, place, options):
        self.place = place
        self.options = options
        self.dice = random.Random(options.seed)
        self.drawn = collections.Counter()

    def run(self, commands):
        """Returns how many faults violated something."""
        faults = []
        for command in commands:
            faults += self._disturb_all(command)
        self._print_table(faults)
        if all(fault.outcome == "unreached" and not fault.violations for fault in faults):
            sys.exit("error: nothing was tested: the commands made none of these calls, or the library did not see them")
        return sum(bool(fault.violations) for fault in faults)

    def _disturb_all(self, command):
        undisturbed = Undisturbed(self.place, command)
        sites = self._sites(undisturbed)
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

    def _sites(self, undisturbed):
        """The calls to disturb: the first from each call site, or every one."""
        # A change is an open, a write, ... too.
        wanted = self.options.calls or [call for call in ERRORS if call != "change"]
        seen = set()
        sites = []
        for call, number, path, _, stack in undisturbed.calls:
            # What reads an input and what reads a result may be the same function.
            site = (call, stack, path.startswith(f"{self.place.stock}/"))
            if call not in wanted or (not self.options.every and site in seen):
                continue
            seen.add(site)
            sites.append((call, number))
        return self._drawn(sites) if self.options.limit else sites

    def _drawn(self, sites):
        """Some of them, of all kinds alike, also over the commands: most calls read, and hardly any locks."""
        left = self.dice.sample(sites, len(sites))
        drawn = []
        while left and len(drawn) < self.options.limit:
            site = min(left, key=lambda site: self.drawn[site[0]])
            self.drawn[site[0]] += 1
            left.remove(site)
            drawn.append(site)
        return drawn

    def _disturb(self, undisturbed, call, number, folder):
        command = undisturbed.command
        fault = Fault(command, call, number)
        effect = self.options.effect or ERRORS[call]
        # Where threads take turns, a call of that number may come in one run and not in the next.
        for _ in range(2):
            work = self.place.fresh(command, folder)
            done = self._run_with_fault(command, work, fault, effect)
            if fault.outcome != "unreached":
                break
        if done is None:
            return fault
        check_exit_code(fault, done.returncode, done.stderr)
        if fault.outcome == "error":
            check_message(fault, done.stderr, (work, self.place.stock))
        undisturbed.check_kept(work, fault.violations)
        unremoved = fault.outcome == "done" and call == "unlink"
        lacking = command.shows_what_it_can and call in READING_CALLS and says_what_it_lacks(work, done, fault.path)
        if fault.outcome == "done" and not lacking:
            undisturbed.check_ended(work, fault.violations, lambda name: unremoved)
        # What was only in the way stays for good where nothing is left to do.
        undisturbed.finish(work, fault.violations,
                           lambda name: unremoved and fault.path.endswith(name.rsplit("/", 1)[-1]))
        if fault.violations:
            work.rename(self.place.scratch / f"violated-{command.name}-{call}-{number}")
        else:
            shutil.rmtree(work, ignore_errors=True)
        return fault

    def _run_with_fault(self, command, work, fault, effect):
        """Runs the command with the fault; returns how it ended, or None if the fault has not come or it hangs."""
        lasting = "+" if self.options.lasting else ""
        environment = self.place.faults(work, f"{fault.call}:{fault.number}{lasting}:{effect}")
        try:
            done = self.place.run(command.arguments(self.place.stock, work), environment)
        except subprocess.TimeoutExpired:
            done = None
        failed = self.place.failed(work)
        fault.path = failed or "-"
        if done is None:
            fault.outcome = "hangs"
            fault.violations.append("hangs")
        elif failed is None:
            fault.outcome = "unreached"
            if done.returncode != 0:
                fault.text = done.stderr.strip()[-600:]
                fault.violations.append(f"exit code {done.returncode} without any fault")
            done = None
        else:
            fault.text = done.stderr.strip()[-600:]
            self._judge_end(fault, done, effect)
        return done

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
        print(f"\n{'COMMAND':<10} {'CALL':<9}" + "".join(f"{column.upper():>12}" for column in _COLUMNS))
        for (command, call), counts in table.items():
            print(f"{command:<10} {call:<9}" + "".join(f"{counts[column]:>12}" for column in _COLUMNS))
        if self.options.json:
            rows = [{"command": command, "call": call, **counts} for (command, call), counts in table.items()]
            Path(self.options.json).write_text(json.dumps(rows, indent=1) + "\n")
