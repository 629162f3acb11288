"""Commands are killed at random moments, a few times before each may end."""

import concurrent.futures
import random
import signal
import subprocess
import threading
import time

from fault_campaigns.checks import Fault, Undisturbed


class KillCampaign:
    def __init__(self, place, options):
        self.place = place
        self.options = options
        self.guard = threading.Lock()
        self.kills = 0
        self.ends = 0
        self.violated = 0

    def run(self, commands):
        """Returns how many runs differ in the end, or have lost something."""
        undisturbed = [Undisturbed(self.place, command) for command in commands]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            list(pool.map(lambda lane: self._kill_and_kill(undisturbed, lane), range(self.options.jobs)))
        print(f"{self.kills} kills of {', '.join(command.name for command in commands)} (seed {self.options.seed}); "
              f"{self.ends} runs ended and were compared; {self.violated} differ or lost something")
        return self.violated

    def _kill_and_kill(self, undisturbed, lane):
        dice = random.Random(self.options.seed * 1000 + lane)
        while self.kills < self.options.count:
            fault = self._killed(dice.choice(undisturbed), dice, lane)
            with self.guard:
                self.kills += fault.number
                self.ends += 1
                self.violated += bool(fault.violations)
                if fault.violations:
                    print(f"{fault.command.name}, after {fault.number} kills: {'; '.join(fault.violations)}\n"
                          f"    {fault.text}", flush=True)
                elif self.ends % 20 == 0:
                    print(f"{self.kills} kills, {self.ends} runs compared, {self.violated} violations", flush=True)

    def _killed(self, undisturbed, dice, lane):
        """A run that is killed up to eight times; the fault's number says how often."""
        command = undisturbed.command
        fault = Fault(command)
        work = self.place.fresh(command, f"w{lane:07d}")
        program = self.place.program(command.arguments(self.place.stock, work))
        log = self.place.scratch / f"killed{lane}.log"
        for _ in range(dice.randint(1, 8)):
            moment = dice.uniform(0, self.options.seconds or undisturbed.seconds)
            with open(log, "wb") as out:
                process = subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                           cwd=self.place.scratch)
            killed = False
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.kill()
                # At that very moment it may have ended by itself.
                killed = process.wait() == -signal.SIGKILL
            if killed:
                fault.number += 1
                undisturbed.check_kept(work, fault.violations)
            elif process.returncode == 0:
                undisturbed.check_ended(work, fault.violations)
            else:
                fault.text = log.read_text(errors="replace")[-600:]
                fault.violations.append(f"exit code {process.returncode} after {fault.number} kills")
            if fault.violations or not killed:
                break
        if not fault.violations:
            undisturbed.finish(work, fault.violations)
        if fault.violations:
            work.rename(self.place.scratch / f"violated-{command.name}-{lane}-{time.monotonic_ns()}")
        return fault
