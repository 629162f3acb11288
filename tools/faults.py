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
import shutil
import sys

from fault_campaigns.calls import ERRORS, CallCampaign
from fault_campaigns.commands import COMMANDS, SOURCES
from fault_campaigns.kills import KillCampaign
from fault_campaigns.order import OrderCheck
from fault_campaigns.workplace import Workplace


def parsed_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("campaign", choices=["calls", "kills", "order"])
    parser.add_argument("--build", default=str(SOURCES / "build/release"), help="the build folder")
    parser.add_argument("--library", help="libkindred_faults.so, if it is not in the build folder")
    parser.add_argument("--scratch", help="where to work; a large campaign is faster in memory, as in /dev/shm")
    parser.add_argument("--commands", nargs="+", metavar="NAME", choices=[command.name for command in COMMANDS],
                        help=f"only these of {', '.join(command.name for command in COMMANDS)}")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", nargs="+", metavar="CALL", choices=list(ERRORS), help="only these kinds of calls")
    parser.add_argument("--effect", default="", help="KILL, KILLED, SHORT or an error [what suits the call]")
    parser.add_argument("--lasting", action="store_true", help="all later calls of the kind fail too")
    parser.add_argument("--every", action="store_true", help="every call, not one from each call site")
    parser.add_argument("--limit", type=int, default=0,
                        help="calls for each command, drawn by the seed, of all kinds alike [all]")
    parser.add_argument("--count", type=int, default=100, help="kills")
    parser.add_argument("--seconds", type=float, default=0, help="the latest moment of a kill [as long as the command took]")
    parser.add_argument("--json", help="also write the table to this file")
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder")
    return parser.parse_args()


def main():
    options = parsed_options()
    commands = [command for command in COMMANDS if not options.commands or command.name in options.commands]
    place = Workplace(options.build, options.library, options.scratch)
    campaigns = {"calls": lambda: CallCampaign(place, options), "kills": lambda: KillCampaign(place, options),
                 "order": lambda: OrderCheck(place)}
    violated = 1
    try:
        violated = campaigns[options.campaign]().run(commands)
    finally:
        if violated == 0 and not options.keep:
            shutil.rmtree(place.scratch, ignore_errors=True)
        else:
            print(f"{place.scratch}  what was violated")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
