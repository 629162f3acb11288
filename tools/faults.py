#!/usr/bin/env python3
"""Makes calls to the system fail, one after the other, and kills Kindred; checks what is left afterwards.

    tools/faults.py calls                      fail each call site once, in each command
    tools/faults.py calls --effect KILL        kill at each call site instead
    tools/faults.py kills --count 100          kill at random moments, and begin again
    tools/faults.py order                      is each file on disk before it gets its name?

Needs the target faults in a build folder (ninja -C build/release faults). What is checked, and what came
out, stands in docs/reliability.md. Exit code: 0 if nothing was violated, else 1.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent
RECIPES = SOURCES / "tests/e2e"

# The error that each kind of call fails with.
ERRORS = {"open": "EACCES", "look": "EMFILE", "read": "EIO", "write": "ENOSPC", "sync": "EIO", "rename": "EIO",
          "mkdir": "ENOSPC", "unlink": "EACCES", "truncate": "EIO", "lock": "ENOLCK", "map": "ENOMEM",
          "allocate": "ENOMEM", "thread": "EAGAIN"}
FILE_CALLS = ["open", "look", "read", "write", "sync", "rename", "mkdir", "unlink", "truncate", "lock"]

# Files whose content is about one run: times, process numbers, what happened.
OF_THE_MOMENT = re.compile(
    r"(^|/)(\.lock|\.file_hashes|log\.txt|metrics\.jsonl|stage\.json|costs\.(json|md)|environment\.json"
    r"|events\.out\.tfevents\..*|study\.(json|md)|checkpoint(\.previous)?\.safetensors)$")


# Stands for a program of the tests, in place of the launcher and its command.
ADDITIONS = "gallery_additions"


class Scenario:
    """A command in a folder of its own.

    make(stock, work): what lies in the folder before; command(stock, work): the arguments of the launcher;
    again(stock, work): those with which a user goes on after an error, where they are not the same; tells: whether the
    result itself says what could not be read, so that it is another one."""

    def __init__(self, name, command, make=None, again=None, tells=False):
        self.name = name
        self.command = command
        self.again = again or command
        self.tells = tells
        self.make = make or (lambda stock, work: None)


def copied(source, target):
    def make(stock, work):
        shutil.copytree(stock / source, work / target)
    return make


SMALL = ["--set", "train.epochs=3", "--set", "train.checkpoint_every=1", "--set", "schedule.warmup_epochs=1"]


def searching(stock, gallery, *more):
    return ["search", "--weights", stock / "trained/model/model.safetensors", "--gallery", gallery, "--image",
            stock / "person.png", *more]


def search_keeping(stock, work):
    return searching(stock, stock / "data", "--keep", work / "gallery", "--sheet", work / "sheet.png")


SCENARIOS = [
    Scenario("train", lambda s, w: ["train", RECIPES / "tiny.toml", "--run-dir", w / "run", *SMALL]),
    # A trained model, whose training goes on: the model that is there must not get lost.
    Scenario("extend", lambda s, w: ["train", RECIPES / "tiny.toml", "--run-dir", w / "run", *SMALL, "--set",
                                     "train.epochs=4"], copied("trained", "run")),
    Scenario("pipeline", lambda s, w: ["run", RECIPES / "tiny_pipeline.toml", "--run-dir", w / "run"]),
    # A finished pipeline of another recipe: what it has made is kept until the new results are there.
    Scenario("again", lambda s, w: ["run", RECIPES / "tiny_pipeline.toml", "--run-dir", w / "run", "--set",
                                    "dataset.distractors=7"], copied("pipeline", "run")),
    Scenario("embed", lambda s, w: ["embed", "--weights", s / "trained/model/model.safetensors", "--data", s / "data",
                                    "--out", w / "features"], copied("other_features", "features")),
    Scenario("match", lambda s, w: ["match", s / "features", "--out", w / "rankings", "--distances",
                                    w / "rankings/distances.npy", "--post", "k_reciprocal"],
             copied("other_rankings", "rankings")),
    Scenario("evaluate", lambda s, w: ["evaluate", s / "features", "--out", w / "scores", "--json",
                                       w / "scores/extra.json", "--per-query", w / "scores/queries.csv"]),
    Scenario("export", lambda s, w: ["export", "--weights", s / "trained/model/model.safetensors", "--to",
                                     "torchscript", "--out", w / "model.pt"]),
    Scenario("gallery", search_keeping, again=lambda s, w: searching(s, w / "gallery", "--sheet", w / "sheet.png")
             if (w / "gallery/gallery.log").exists() else search_keeping(s, w)),
    Scenario("search", lambda s, w: searching(s, w / "gallery"), copied("gallery", "gallery")),
    # Not the launcher, but a program of an application.
    Scenario("add", lambda s, w: [ADDITIONS, w / "gallery"]),
    Scenario("convert", lambda s, w: ["data", "convert", s / "data", "--layout", "market1501", "--format", "png",
                                      "--size", "32", "16", "--out", w / "data"]),
    Scenario("report", lambda s, w: ["report", w / "run"], copied("pipeline", "run"), tells=True),
    Scenario("label", lambda s, w: ["label", s / "features", "--labeler", "dbscan_jaccard", "--set",
                                    "labeler.k1=6", "--out", w / "labels"]),
    Scenario("submit", lambda s, w: ["submit", "--rankings", s / "other_rankings/matches.csv", "--data", s / "data",
                                     "--writer", "ranking_csv", "--out", w / "submission"]),
]


class Fault:
    """One disturbed run, and what was wrong with it."""

    def __init__(self, scenario, call="", number=0, path=""):
        self.scenario = scenario
        self.call = call
        self.number = number
        self.path = path
        self.outcome = ""
        self.violations = []
        self.text = ""


def digest(file, folder):
    """Of a file's content, whatever the folder is called that it may name."""
    return hashlib.sha256(file.read_bytes().replace(str(folder).encode(), b"FOLDER")).hexdigest()


def files_of(folder):
    """Content of each file by its path in the folder."""
    return {str(file.relative_to(folder)): digest(file, folder) for file in sorted(folder.rglob("*"))
            if file.is_file() and not file.is_symlink()}


class Campaign:
    def __init__(self, options):
        self.options = options
        self.build = Path(options.build).resolve()
        self.launcher = self.build / "bin/kindred"
        self.library = Path(options.library).resolve() if options.library else self.build / "tests/lib/libkindred_faults.so"
        for needed in (self.launcher, self.library):
            if not needed.is_file():
                sys.exit(f"{needed}: does not exist; build the target faults")
        self.scratch = Path(tempfile.mkdtemp(prefix="kindred-faults-", dir=options.scratch)).resolve()
        self.stock = self.scratch / "stock"
        self.expected = {}
        self.before = {}
        self.seconds = {}

    # What is run.

    def whole_command(self, arguments):
        if arguments[0] == ADDITIONS:
            return [str(self.build / "tests/bin" / ADDITIONS), *map(str, arguments[1:])]
        return [str(self.launcher), *map(str, arguments)]

    def run(self, arguments, environment=None, seconds=300):
        return subprocess.run(self.whole_command(arguments), env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              cwd=self.scratch, timeout=seconds, check=False)

    def must(self, *arguments):
        done = self.run(arguments)
        if done.returncode != 0:
            sys.exit(f"kindred {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")

    def make_stock(self):
        """What the scenarios begin with, made without faults."""
        stock = self.stock
        stock.mkdir()
        tiny = RECIPES / "tiny.toml"
        self.must("data", "convert", tiny, "--layout", "market1501", "--out", stock / "data")
        self.must("train", tiny, "--run-dir", stock / "trained", *SMALL)
        self.must("run", RECIPES / "tiny_pipeline.toml", "--run-dir", stock / "pipeline")
        model = stock / "trained/model/model.safetensors"
        self.must("embed", "--weights", model, "--data", stock / "data", "--out", stock / "features")
        self.must("embed", "--weights", stock / "pipeline/final/model.safetensors", "--data", stock / "data", "--out",
                  stock / "other_features")
        self.must("match", stock / "other_features", "--out", stock / "other_rankings", "--top", "1000")
        shutil.copy(next((stock / "data").rglob("*query*/*")), stock / "person.png")
        self.must("search", "--weights", model, "--gallery", stock / "data", "--image", stock / "person.png", "--keep",
                  stock / "gallery")

    def fresh(self, scenario, name):
        """A folder as the scenario finds it. Its path has always the same length, so that files have too."""
        work = self.scratch / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        scenario.make(self.stock, work)
        return work

    def results(self, work):
        return {name: content for name, content in files_of(work).items() if not OF_THE_MOMENT.search(name)}

    def names(self, work):
        """All files but for those that carry times in their names."""
        return {re.sub(r"tfevents\.\d+", "tfevents.N", name) for name in files_of(work)}

    def look_at(self, scenario):
        """The results of the undisturbed command, twice: what differs cannot be compared."""
        found = []
        for name in ("undisturbed", "undisturbed_too"):
            work = self.fresh(scenario, name)
            if not found:
                self.before[scenario.name] = self.results(work)
            started = time.monotonic()
            done = self.run(scenario.command(self.stock, work))
            self.seconds[scenario.name] = time.monotonic() - started
            if done.returncode != 0:
                sys.exit(f"{scenario.name}: exit code {done.returncode} without any fault\n{done.stderr}")
            found.append((self.results(work), self.names(work)))
        differ = {name for name in found[0][0] if found[0][0][name] != found[1][0].get(name)}
        if differ:
            print(f"{scenario.name}: not compared, as it differs between undisturbed runs: {', '.join(sorted(differ))}")
        results = {name: content for name, content in found[0][0].items() if name not in differ}
        self.expected[scenario.name] = (results, found[0][1] | found[1][1])

    def fault_environment(self, work, call="", number=0, effect="", log=None):
        environment = {"LD_PRELOAD": str(self.library), "KINDRED_FAULT_UNDER": str(work)}
        if call:
            lasts = "+" if self.options.lasting else ""
            environment["KINDRED_FAULT"] = f"{call}:{number}{lasts}:{effect}"
        if log:
            environment["KINDRED_FAULT_LOG"] = str(log)
        return environment

    def record(self, scenario, work, log):
        log.unlink(missing_ok=True)
        done = self.run(scenario.command(self.stock, work), self.fault_environment(work, log=log))
        if done.returncode != 0:
            sys.exit(f"{scenario.name}: exit code {done.returncode} without any fault\n{done.stderr}")
        calls = []
        for line in log.read_text(errors="replace").splitlines():
            parts = line.split("\t")
            if len(parts) == 5:
                calls.append((parts[0], int(parts[1]), parts[2], parts[3], parts[4]))
        return calls

    def sites(self, scenario):
        """The calls to disturb: the first from each call site, or every one."""
        calls = self.record(scenario, self.fresh(scenario, "recorded"), self.scratch / "calls.log")
        wanted = self.options.calls or list(ERRORS)
        seen = set()
        chosen = []
        for call, number, path, _, stack in calls:
            if call not in wanted or (not self.options.every and (call, stack) in seen):
                continue
            seen.add((call, stack))
            chosen.append((call, number, path.replace("/recorded", "/W")))
        if self.options.limit and len(chosen) > self.options.limit:
            chosen = random.Random(self.options.seed).sample(chosen, self.options.limit)
        return chosen

    # What is checked.

    def check_kept(self, scenario, work, violations):
        """Nothing that was there before is lost: it is there, or what replaces it, or it lies beside."""
        now = self.results(work)
        contents = set(now.values())
        for name, content in self.before[scenario.name].items():
            if now.get(name) == content or content in contents:
                continue
            if now.get(name) is not None and now[name] == self.expected[scenario.name][0].get(name):
                continue
            violations.append(f"lost: {name}")

    def check_message(self, fault, error, work, violations):
        if "unexpected" in error or "fault of Kindred" in error:
            violations.append("message: unexpected")
        elif "error" not in error:
            violations.append("message: no error in it")
        elif fault.call in FILE_CALLS:
            name = re.sub(r"^\.(.+)\.\d+-\d+\.tmp$", r"\1", Path(fault.path).name)
            place = re.sub("/W(?=/|$)", f"/{work.name}", fault.path)
            if name not in error and not any(
                    str(parent) in error for parent in (Path(place), *Path(place).parents) if parent.is_relative_to(work)):
                violations.append(f"message: names neither {name} nor its folder")

    def check_ended(self, scenario, work, violations, tolerated=lambda name: False):
        results, names = self.expected[scenario.name]
        now = self.results(work)
        for name, content in results.items():
            if name not in now:
                violations.append(f"missing in the end: {name}")
            elif now[name] != content:
                violations.append(f"other bytes in the end: {name}")
        for name in sorted(self.names(work) - names):
            if not re.search(r"(^|/)\.replaced/|checkpoint\.previous|tfevents", name) and not tolerated(name):
                violations.append(f"left over: {name}")

    def finish(self, fault, work, tolerated=lambda name: False):
        """The same command again, and what it ends with."""
        scenario = fault.scenario
        done = self.run(scenario.again(self.stock, work))
        if done.returncode != 0:
            results = self.expected[scenario.name][0]
            now = self.results(work)
            complete = all(now.get(name) == content for name, content in results.items())
            if not (complete and "already exists" in done.stderr):
                fault.violations.append("the command again: " + done.stderr.strip()[-300:])
        self.check_ended(scenario, work, fault.violations, tolerated)

    def disturb(self, scenario, call, number, path, lane):
        fault = Fault(scenario, call, number, path)
        work = self.fresh(scenario, f"w{lane:07d}")
        effect = self.options.effect or ERRORS[call]
        try:
            done = self.run(scenario.command(self.stock, work), self.fault_environment(work, call, number, effect))
        except subprocess.TimeoutExpired:
            fault.outcome = "hangs"
            fault.violations.append("hangs")
            return fault
        fault.text = done.stderr.strip()[-600:]
        if done.returncode == -signal.SIGKILL and effect.startswith("KILL"):
            fault.outcome = "killed"
        elif done.returncode == 0:
            fault.outcome = "done"
        elif done.returncode < 0:
            fault.outcome = "crash"
            fault.violations.append(f"ended by {signal.Signals(-done.returncode).name}")
        elif done.returncode in (1, 2, 3):
            fault.outcome = "error"
            self.check_message(fault, done.stderr, work, fault.violations)
        else:
            fault.outcome = "crash"
            fault.violations.append(f"exit code {done.returncode}")
        self.check_kept(scenario, work, fault.violations)
        if fault.outcome == "done" and not (scenario.tells and call in ("look", "read")):
            # What could not be removed is still there, until the command is given again.
            self.check_ended(scenario, work, fault.violations, lambda name: call == "unlink" and
                             path.endswith(name.rsplit("/", 1)[-1]))
        # Hidden files of who was killed stay where no lock says that he is gone.
        self.finish(fault, work, lambda name: fault.outcome == "killed" and re.search(r"(^|/)\.[^/]*\.tmp(/|$)", name))
        if not fault.violations:
            shutil.rmtree(work, ignore_errors=True)
        return fault

    # Campaigns.

    def calls(self):
        """Each call site fails once."""
        lanes = LaneNumbers(self.options.jobs)
        faults = []
        for scenario in self.chosen():
            self.look_at(scenario)
            sites = self.sites(scenario)
            print(f"{scenario.name}: {len(sites)} calls to disturb", flush=True)

            def one(site, scenario=scenario):
                with lanes.number() as lane:
                    return self.disturb(scenario, *site, lane)
            with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
                for fault in pool.map(one, sites):
                    faults.append(fault)
                    if fault.violations:
                        print(f"  {fault.call}:{fault.number} {fault.path}: {fault.outcome}: "
                              f"{'; '.join(fault.violations)}\n    {fault.text}", flush=True)
            outcomes = collections.Counter(fault.outcome for fault in faults if fault.scenario is scenario)
            print(f"{scenario.name}: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}", flush=True)
        self.print_table(faults)
        return sum(bool(fault.violations) for fault in faults)

    def print_table(self, faults):
        table = collections.defaultdict(collections.Counter)
        for fault in faults:
            for key in ((fault.scenario.name, fault.call), ("all", "all")):
                table[key]["faults"] += 1
                table[key][fault.outcome] += 1
                table[key]["violations"] += bool(fault.violations)
        columns = ["faults", "error", "done", "killed", "crash", "hangs", "violations"]
        print(f"\n{'COMMAND':<10} {'CALL':<9}" + "".join(f"{column.upper():>11}" for column in columns))
        for (scenario, call), counts in table.items():
            print(f"{scenario:<10} {call:<9}" + "".join(f"{counts[column]:>11}" for column in columns))
        if self.options.json:
            rows = [{"command": scenario, "call": call, **counts} for (scenario, call), counts in table.items()]
            Path(self.options.json).write_text(json.dumps(rows, indent=1) + "\n")

    def kills(self):
        """SIGKILL at random moments. Each run is killed a few times before it may end, and is then compared."""
        chosen = self.chosen()
        for scenario in chosen:
            self.look_at(scenario)
        state = {"kills": 0, "ends": 0, "violated": 0}
        guard = threading.Lock()

        def lane(number):
            dice = random.Random(self.options.seed * 1000 + number)
            while True:
                with guard:
                    if state["kills"] >= self.options.count:
                        return
                scenario = dice.choice(chosen)
                fault = self.killed(scenario, dice, number)
                with guard:
                    state["kills"] += fault.number
                    state["ends"] += 1
                    state["violated"] += bool(fault.violations)
                    if fault.violations:
                        print(f"{scenario.name}, after {fault.number} kills: {'; '.join(fault.violations)}\n"
                              f"    {fault.text}", flush=True)
                    elif state["ends"] % 20 == 0:
                        print(f"{state['kills']} kills, {state['ends']} runs compared, {state['violated']} violations",
                              flush=True)

        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            list(pool.map(lane, range(self.options.jobs)))
        print(f"{state['kills']} kills of {', '.join(scenario.name for scenario in chosen)} (seed {self.options.seed}); "
              f"{state['ends']} runs ended and were compared; {state['violated']} differ or lost something")
        return state["violated"]

    def killed(self, scenario, dice, lane):
        fault = Fault(scenario)
        work = self.fresh(scenario, f"w{lane:07d}")
        command = self.whole_command(scenario.command(self.stock, work))
        for _ in range(dice.randint(1, 8)):
            log = self.scratch / f"killed{lane}.log"
            with open(log, "wb") as out:
                started = time.monotonic()
                program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.scratch)
            moment = dice.uniform(0, self.options.seconds or self.seconds[scenario.name])
            try:
                program.wait(max(0.0, started + moment - time.monotonic()))
                if program.returncode != 0:
                    fault.text = log.read_text(errors="replace")[-600:]
                    fault.violations.append(f"exit code {program.returncode} after {fault.number} kills")
                break
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                fault.number += 1
            self.check_kept(scenario, work, fault.violations)
            if fault.violations:
                break
        if not fault.violations:
            self.finish(fault, work)
        if fault.violations:
            work.rename(self.scratch / f"violated-{scenario.name}-{lane}-{time.monotonic_ns()}")
        return fault

    def order(self):
        """Whether a file is on disk before it gets its name, and the folder after: what a loss of power needs."""
        violated = 0
        for scenario in self.chosen():
            work = self.fresh(scenario, "recorded")
            calls = self.record(scenario, work, self.scratch / "calls.log")
            unsynced, renamed, checked = set(), {}, 0
            for call, _, path, former, _ in calls:
                if call == "write":
                    unsynced.add(path)
                elif call == "sync":
                    below = [name for name in unsynced if name == path or name.startswith(path + "/")]
                    unsynced.difference_update(below)
                    renamed = {name: folder for name, folder in renamed.items() if folder != path}
                elif call == "rename":
                    checked += 1
                    dirty = sorted(name for name in unsynced if name == former or name.startswith(former + "/"))
                    if dirty:
                        violated += 1
                        print(f"{scenario.name}: {path} gets its name before {dirty[0]} is on disk")
                    renamed[path] = str(Path(path).parent)
            for name in sorted(renamed):
                if Path(name).exists() and not OF_THE_MOMENT.search(name):
                    violated += 1
                    print(f"{scenario.name}: the name of {name} is never put on disk")
            print(f"{scenario.name}: {checked} names checked")
        return violated

    def chosen(self):
        wanted = self.options.commands
        unknown = set(wanted or []) - {scenario.name for scenario in SCENARIOS}
        if unknown:
            sys.exit(f"--commands: {', '.join(sorted(unknown))}: allowed are "
                     f"{', '.join(scenario.name for scenario in SCENARIOS)}")
        return [scenario for scenario in SCENARIOS if not wanted or scenario.name in wanted]


class LaneNumbers:
    """Numbers for what runs side by side, each used once at a time."""

    def __init__(self, count):
        self.free = list(range(count))
        self.guard = threading.Lock()

    def number(self):
        outer = self

        class Held:
            def __enter__(self):
                with outer.guard:
                    self.taken = outer.free.pop()
                return self.taken

            def __exit__(self, *_):
                with outer.guard:
                    outer.free.append(self.taken)
        return Held()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("campaign", choices=["calls", "kills", "order"])
    parser.add_argument("--build", default=str(SOURCES / "build/release"), help="the build folder")
    parser.add_argument("--library", help="libkindred_faults.so, if it is not in the build folder")
    parser.add_argument("--scratch", help="where to work; a large campaign is faster in memory, as in /dev/shm")
    parser.add_argument("--commands", nargs="+", metavar="NAME", help="only these; for kills: train pipeline")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", nargs="+", metavar="CALL", choices=list(ERRORS), help="only these kinds of calls")
    parser.add_argument("--effect", default="", help="KILL, KILLED, SHORT or an error [what suits the call]")
    parser.add_argument("--lasting", action="store_true", help="all later calls of the kind fail too")
    parser.add_argument("--every", action="store_true", help="every call, not one from each call site")
    parser.add_argument("--limit", type=int, default=0, help="calls for each command, drawn by the seed [all]")
    parser.add_argument("--count", type=int, default=100, help="kills")
    parser.add_argument("--seconds", type=float, default=0, help="the latest moment of a kill [as long as the command took]")
    parser.add_argument("--json", help="also write the table to this file")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder")
    options = parser.parse_args()
    campaign = Campaign(options)
    violated = 1
    try:
        campaign.make_stock()
        violated = getattr(campaign, options.campaign)()
    finally:
        if violated == 0 and not options.keep:
            shutil.rmtree(campaign.scratch, ignore_errors=True)
        else:
            print(f"{campaign.scratch}  what was violated")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
