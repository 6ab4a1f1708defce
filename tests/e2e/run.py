#!/usr/bin/env python3
"""Runs the end-to-end scenarios: real stackd, real stackctl, a real engine.

  tests/e2e/run.py [--only WORD]... [--list] [--jobs N] [--counts FILE]

STACKD_BIN names the directory of the binaries (default build/release/bin)."""

import argparse
import concurrent.futures
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import harness  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

# Each module registers its scenarios.
for name in sorted(os.listdir(os.path.dirname(os.path.abspath(__file__)))):
    if name.endswith(".py") and name not in ("run.py", "harness.py", "scenarios.py", "watched_engine.py"):
        importlib.import_module(name[:-3])

PRINTING = threading.Lock()
SANITIZERS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")


def run(sentence, function, daemon):
    """Nothing when it passed, else what went wrong."""
    started = time.monotonic()
    world = harness.World()
    problem = None
    try:
        if daemon:
            world.daemon.start()
        function(world)
        world.picture_is_right()
        log = world.daemon.tail(100_000)
        if any(words in log for words in SANITIZERS):
            raise harness.Failure("a sanitizer spoke in the daemon's log")
        if harness.GUARD:
            while_it_ran = log.split(": stopping; services and hooks go on")[0]
            touched = [line for line in while_it_ran.splitlines() if line.startswith("FILE ON THE CONTROL THREAD")]
            if touched:
                raise harness.Failure("the control thread touched files:\n" + "\n".join(sorted(set(touched))))
    except harness.Failure as failure:
        problem = f"{failure}\n-- the daemon's last lines --\n{world.daemon.tail()}"
    except Exception:  # a scenario that breaks is a failure like any other, and the rest still runs
        problem = f"{traceback.format_exc()}\n-- the daemon's last lines --\n{world.daemon.tail()}"
    finally:
        try:
            world.close()
        except Exception:
            problem = (problem or "") + "\ncannot clean up:\n" + traceback.format_exc()
    with PRINTING:
        print(f"{'ok    ' if problem is None else 'FAILED'} {time.monotonic() - started:5.1f} s  {sentence}", flush=True)
        if problem:
            print("       " + problem.strip().replace("\n", "\n       "), flush=True)
    return problem


def end(number, _):
    """Ended from outside (Ctrl-C, a time limit): what the scenarios have made goes all the same."""
    for world in list(harness.World.open):
        try:
            world.close()
        except Exception:
            traceback.print_exc()
    os._exit(128 + number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[], help="scenarios whose sentence has this word")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--without", action="append", default=[], help="leave out scenarios whose sentence has this word")
    parser.add_argument("--counts", help="write '<passed> <failed>' here")
    options = parser.parse_args()

    chosen = [entry for entry in SCENARIOS if not options.only or any(word in entry[0] for word in options.only)]
    chosen = [entry for entry in chosen if not any(word in entry[0] for word in options.without)]
    if options.list:
        print("\n".join(entry[0] for entry in chosen))
        return 0
    if not chosen:
        print("no scenario has these words", file=sys.stderr)
        return 2
    subprocess.run([os.path.join(harness.BIN, "stackctl"), "--version"], check=True)
    subprocess.run(["bash", "-c", f". {harness.ENGINE_SH}; engine_busybox"], check=True, stdout=subprocess.DEVNULL)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    # Those that measure or disturb come alone, after the others.
    beside = [entry for entry in chosen if entry[3]]
    alone = [entry for entry in chosen if not entry[3]]
    problems = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        problems += pool.map(lambda entry: run(*entry[:3]), beside)
    problems += [run(*entry[:3]) for entry in alone]

    # Scenarios share two cores and one engine. One that fails among others gets a second try with nothing beside it, and is
    # named: what fails only now and then is still to be looked into.
    unsteady = []
    for number, entry in enumerate(beside + alone):
        if problems[number] is not None:
            print(f"once more, alone: {entry[0]}", flush=True)
            problems[number] = run(*entry[:3])
            if problems[number] is None:
                unsteady.append(entry[0])
    for sentence in unsteady:
        print(f"failed among others, passed alone: {sentence}")
    failed = sum(problem is not None for problem in problems)
    print(f"{len(problems) - failed} scenarios passed, {failed} failed")
    if options.counts:
        with open(options.counts, "w", encoding="utf-8") as file:
            file.write(f"{len(problems) - failed} {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
