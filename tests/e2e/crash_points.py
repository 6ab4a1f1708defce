"""The daemon is stopped at every commit of an up and a down (stackd-faulty, which is stackd but for STACKD_CRASH_AT=before:N
and after:N: SIGKILL at the N-th commit of its process), started again, and must find the same end: the operation succeeds, each hook has run once,
nothing is there twice and nothing is left.

STACKD_E2E_CRASH=all stops at every commit; without it at every third, a different third in each direction and place."""

import os
import shutil
import sqlite3

from harness import BIN, ROOT, Failure, check, equal, wait_until
from scenarios import scenario

UP = ["before_up", "before_start store", "post_start store", "after_ready store", "pre_start web",
      "pre_run web, in an image built by user 1001", "before_start api", "after_ready api", "after_up"]
DOWN = ["before_down", "before_down store", "before_down api", "pre_stop store", "after_down"]
MOST = 400  # commits; an operation that has more than these does not end


def stride(offset):
    step = 1 if os.environ.get("STACKD_E2E_CRASH") == "all" else 3
    return range(1 + offset % step, MOST, step)


def carried_through(world, command, crash_at):
    """Runs a command with a daemon that dies at a commit, and a second one that carries it on. False when it did not die:
    the operation has fewer commits."""
    world.daemon.start(crash_at=crash_at, wait=False)
    # It may die while it starts: a client that is refused comes again.
    wait_until(lambda: world.daemon.answers() or world.daemon.process.poll() is not None, "the daemon")
    died_early = world.daemon.process.poll() is not None
    if died_early:
        world.daemon.start()
    client = world.spawn(*command)
    if not died_early:
        wait_until(lambda: client.poll() is not None or world.daemon.process.poll() is not None,
                   f"the end of {command} or of the daemon", limit=90)
        if world.daemon.process.poll() is None:
            world.end_of(client).expect(0)
            world.daemon.stop()
            return False
        equal(world.daemon.process.returncode, -9, f"how the daemon ended at {crash_at}")
        world.daemon.start()
    result = world.end_of(client)
    # A request that died with the daemon before it was written down was never an operation: asked again, it is one.
    if result.code == 3 or "reached" in result.text and result.code != 0:
        result = world.ctl(*command)
    result.expect(0)
    world.daemon.stop()
    return True


def check_records(world, command):
    """Every record of the last operation has ended well, and no hook has two."""
    with sqlite3.connect(f"file:{world.path('home/state.db')}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT phase, service, entry, state FROM hook_runs WHERE operation_id = "
                          "(SELECT id FROM operations WHERE kind = ? ORDER BY number DESC LIMIT 1)", (command,)).fetchall()
    states = {}
    for phase, service, index, state in rows:
        check((phase, service, index) not in states, f"two records of {service} {phase}[{index}]: {rows}")
        states[phase, service, index] = state
    check(all(state in ("succeeded", "skipped") for state in states.values()), f"records that have not ended well: {states}")
    check(len(states) >= 5, f"records: {states}")


def crash_everywhere(world, place, offset):
    shutil.copytree(os.path.join(ROOT, "config/sample"), world.path("stack"),
                    ignore=shutil.ignore_patterns("work", "busybox"))
    points = 0
    dying = {"up": True, "down": True}
    for number in stride(offset):
        crash_at = f"{place}:{number}"
        trace = 0
        for command, hooks in ((["up"], UP), (["down", "--rmi", "local"], DOWN)):
            command, words = command[0], command
            try:
                if dying[command]:
                    dying[command] = carried_through(world, words, crash_at)
                    points += dying[command]
                else:
                    world.daemon.start()
                    world.ctl(*words).expect(0)
                    world.daemon.stop()
                lines = world.lines("stack/work/trace.log")[trace:]
                trace += len(lines)
                equal(sorted(lines), sorted(hooks), "the hooks that ran")
                check_records(world, command)
                equal(lines[0], hooks[0], "the first hook")
                equal(lines[-1], hooks[-1], "the last hook")
                if command == "up":
                    running = world.engine.containers(world.project)
                    equal(sorted(c["Labels"]["com.docker.compose.service"] for c in running), ["store", "web"], "containers")
                    equal({c["State"] for c in running}, {"running"}, "their states")
                else:
                    world.nothing_left(volumes=False)
            except Failure as failure:
                raise Failure(f"{command} with a daemon that dies at {crash_at}: {failure}")
        os.unlink(world.path("stack/work/trace.log"))
        if not any(dying.values()):
            break
    check(points > 10, f"the daemon died at {points} points only")


@scenario("kill -9 of the daemon before any commit of the sample's up and down: the same end, each hook once", daemon=False)
def before_commits(world):
    crash_everywhere(world, "before", 0)


@scenario("kill -9 of the daemon after any commit of the sample's up and down: the same end, each hook once", daemon=False)
def after_commits(world):
    crash_everywhere(world, "after", 1)


@scenario("The shipped stackd cannot be told to die at a commit", daemon=False)
def no_fault_is_shipped(world):
    def knows(name):
        with open(os.path.join(BIN, name), "rb") as program:
            return b"STACKD_CRASH_AT" in program.read()
    check(knows("stackd-faulty"), "the name of the variable is to be seen in a program that has it")
    check(not any(knows(name) for name in ("stackd", "stackctl", "stackd-shim")), "a shipped program has STACKD_CRASH_AT in it")
