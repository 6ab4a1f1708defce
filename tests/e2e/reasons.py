"""X35: what is left to read of what failed or was removed, and in what order it is said."""

import os
import signal

from harness import IMAGE, World, check, equal, wait_until
from scenarios import scenario

QUICK = "init: true, stop_grace_period: 1s"


def last_lines(result, count=10):
    return result.text.rstrip("\n").splitlines()[-count:]


def error_of(world, kind="up"):
    return world.operations(kind)[0]["error"]


def said_once(result, words):
    equal(result.text.count(words), 1, f"how often {words!r} is said in:\n{result.text}\n")
    check(any(words in line for line in last_lines(result)), f"{words!r} is not in the last ten lines of:\n{result.text}")


@scenario("X35: the log of a container that an up made and took away again is there to read, and its first cause is said once, at the end")
def the_reason_stays(world):
    frames = "; ".join(f"echo \"    at frame{n} (app.js:{n})\"" for n in range(30))
    world.stack(f"""
services:
  app:
    image: {IMAGE}
    init: true
    command: ["sh", "-c", 'echo begin; sleep 0.3; echo "FATAL set DATABASE_URL"; {frames}; exit 3']
    ready_when: {{log_match: never}}
""".replace("$", "$$"))
    failed = world.ctl("up").expect(1)
    said_once(failed, "FATAL set DATABASE_URL")
    check("stackctl logs app" in failed.text and "up --keep" in failed.text, f"no next command in:\n{failed.text}")
    error = error_of(world)
    equal((error["service"], error["exit_code"], error["reason"]), ("app", 3, "FATAL set DATABASE_URL"), "operation.error")
    check("FATAL set DATABASE_URL" in open(error["log"]).read(), "the log that the error names")
    wrote = world.ctl("logs", "--no-log-prefix", "app").expect(0).out.splitlines()
    equal((wrote[0], wrote[1], len(wrote)), ("begin", "FATAL set DATABASE_URL", 32), "what it wrote")
    equal(world.ctl("logs", "--no-log-prefix", "--tail", "1", "app").out.splitlines(), ["    at frame29 (app.js:29)"], "--tail 1")
    world.nothing_left()


@scenario("X35: who died earlier comes before who was waited for, each once")
def in_order_of_cause(world):
    world.stack(f"""
services:
  db: {{image: {IMAGE}, init: true, command: ["sh", "-c", "sleep 2; echo no space for the data; exit 7"]}}
  web:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    ready_when: {{cmd: "false", timeout: 5s}}
""")
    failed = world.ctl("up").expect(1)
    said_once(failed, "no space for the data")
    error = error_of(world)
    failed_ones = [part["service"] for part in error["failures"]]
    check(failed_ones in (["db"], ["db", "web"]), f"in this order, each once: {failed_ones}")
    equal((error["service"], error["exit_code"]), ("db", 7), "the first cause")
    world.nothing_left()


@scenario("X35: a hook that fails an up is said once, with its phase, exit status and log")
def a_hook_that_fails(world):
    world.file("stack/seed.sh", "echo the seed is empty >&2; exit 4\n")
    world.stack("owned: {p: {cmd: exec sleep 1000}}\nlifecycle: {after_up: [sh ./seed.sh]}\n")
    failed = world.ctl("up").expect(1)
    said_once(failed, "the seed is empty")
    error = error_of(world)
    equal((error["phase"], error["exit_code"]), ("after_up", 4), "operation.error")
    check("the seed is empty" in open(error["log"]).read(), "its log")
    world.nothing_left()


@scenario("X35: a process that fails an up by a signal is named with it")
def a_signal(world):
    world.stack("owned: {p: {cmd: 'sleep 0.2; echo killed soon; kill -KILL $$', ready_when: {log_match: never}}}\n")
    said_once(world.ctl("up").expect(1), "killed soon")
    error = error_of(world)
    equal((error["service"], error["signal"]), ("p", "SIGKILL"), "operation.error")
    world.nothing_left()


@scenario("X35: one stream a service over recreate, restart, and down and up, with a mark at each boundary")
def one_stream(world):
    text = f"services:\n  web: {{{{image: {IMAGE}, {QUICK}, command: ['sh', '-c', 'echo {{0}}; exec sleep 1000']}}}}\n"
    world.stack(text.format("one"))
    world.ctl("up").expect(0)
    world.file("stack/stackd.yaml", text.format("two"))
    world.ctl("up").expect(0)
    world.ctl("restart").expect(0)
    world.ctl("down").expect(0)
    shown = world.ctl("logs", "--no-log-prefix").expect(0).out.splitlines()
    equal(shown, ["one", "— web replaced —", "two", "— web restarted: restart —", "two"], "the log after a down")
    world.ctl("up").expect(0)
    wait_until(lambda: world.ctl("logs", "--no-log-prefix", "--tail", "2").out.splitlines() == ["two", "— web started —", "two"],
               "the log after the next up")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X35: logs -f goes on through recreate, restart and a service that is new, tells how one ended, and ends with the stack")
def followed(world):
    text = "services:\n" + f"  web: {{{{image: {IMAGE}, {QUICK}, command: ['sh', '-c', 'echo {{0}}; exec sleep 1000']}}}}\n"
    world.stack(text.format("one"))
    world.ctl("up").expect(0)
    client = world.spawn("logs", "-f", "--no-log-prefix")
    world.file("stack/stackd.yaml", text.format("two") + f"  late: {{image: {IMAGE}, {QUICK}, command: ['sh', '-c', 'echo here; exec sleep 1000']}}\n")
    world.ctl("up").expect(0)
    world.ctl("restart", "web").expect(0)
    world.ctl("down").expect(0)
    shown = world.end_of(client).out.splitlines()
    for words in ("one", "two", "here", "— web replaced —", "— web restarted: restart —"):
        check(words in shown, f"{words!r} is missing in {shown}")
    equal(shown.count("two"), 2, "the second command's starts")
    check(any(line.startswith("— web exited with status") for line in shown), f"no end of web in {shown}")
    world.nothing_left()


@scenario("X35: of a container that somebody else removes a sentence stays")
def removed_by_somebody(world):
    world.stack(f"services: {{web: {{image: {IMAGE}, {QUICK}, command: ['sh', '-c', 'echo one; exec sleep 1000']}}}}\n")
    world.ctl("up").expect(0)
    world.engine.call("DELETE", f"/containers/{world.engine.containers(world.project)[0]['Id']}?force=1")
    wait_until(lambda: "somebody else has removed it" in world.ctl("logs", "web").text, "the sentence")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X35: a log that is longer than what is kept is saved by its ends, and the lines between are counted")
def long_logs(world):
    world.daemon.stop()
    world.file("user/.config/stackd/daemon.yaml", "saved_log_size: 20000\n")
    world.daemon.start()
    world.stack(f"services: {{web: {{image: {IMAGE}, {QUICK}, command: ['sh', '-c', 'seq 1 5000; exec sleep 1000']}}}}\n")
    world.ctl("up").expect(0)
    wait_until(lambda: "5000" in world.ctl("logs", "--tail", "1").out, "all lines")
    world.ctl("down").expect(0)
    shown = world.ctl("logs", "--no-log-prefix").expect(0).out.splitlines()
    gap = next(at for at, line in enumerate(shown) if line.startswith("— web"))
    equal((shown[0], gap, shown[-1]), ("1", 200, "5000"), "the first line, the gap and the last line")
    equal(int(shown[gap].split()[2]) + len(shown) - 1, 5000, f"all lines, by {shown[gap]}")
    world.nothing_left()


@scenario("X35: what befalls another home's containers leaves nothing in this one")
def of_another_home(world):
    other = World()
    try:
        other.daemon.start()
        other.stack(f"services: {{web: {{image: {IMAGE}, init: true, restart: always, stop_signal: SIGKILL, command: sleep 1000}}}}\n")
        other.ctl("up").expect(0)
        container = other.engine.containers(other.project)[0]["Id"]
        os.kill(other.engine.inspect(container)["State"]["Pid"], signal.SIGKILL)
        wait_until(lambda: other.services()["web"].get("restarts", 0) > 0, "the engine to start it again")
        other.engine.call("DELETE", f"/containers/{container}?force=1")
        # Events come in order: what this one tells of its own came after those.
        world.stack(f"services: {{web: {{image: {IMAGE}, init: true, stop_signal: SIGKILL, command: sleep 1000}}}}\n")
        world.ctl("up").expect(0)
        kept = os.listdir(world.path("home", "stacks"))
        equal([name for name in kept if not name.startswith(world.project)], [], "folders of stacks that are not its own")
        other.ctl("down").expect(0)
        world.ctl("down").expect(0)
    finally:
        other.close()
