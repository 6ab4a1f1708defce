"""kill -9 of the daemon at any moment: a stack with all thirteen phases goes through its whole life, first undisturbed, then
with a daemon that is killed at random moments of each operation. The same has to happen, hook by hook.

STACKD_E2E_KILLS=N makes N rounds (default 1); STACKD_E2E_SEED=N repeats one that failed."""

import collections
import os
import random
import time

from harness import IMAGE, Failure, check, equal, wait_until
from scenarios import scenario

LIFE = (["up"], ["restart", "-t", "1"], ["stop", "-t", "1"], ["start"], ["up", "--force-recreate"],
        ["up", "--scale", "web=3"], ["down", "-t", "1", "--rmi", "local"])


def line(word):
    return f"echo {word} >> t/trace"


def inside(word):
    return f"[\"sh\", \"-c\", \"echo {word} >> /t/trace\"]"


THIRTEEN = f"""
lifecycle:
  before_up: ["{line('before_up')}"]
  after_up: ["{line('after_up')}"]
  before_down: ["{line('before_down')}"]
  after_down: ["{line('after_down')}"]
services:
  db:
    image: {IMAGE}
    init: true
    command: sh -c 'touch /tmp/fit; sleep infinity'
    healthcheck: {{test: "test -e /tmp/fit", interval: 1s, retries: 20}}
    volumes: ["./t:/t", "data:/data"]
    networks: [default, back]
    pre_start:
      - command: {inside('pre_start-db-0')}
      - command: {inside('pre_start-db-1')}
    post_start: [{{command: {inside('post_start-db')}}}]
    pre_stop: [{{command: {inside('pre_stop-db')}}}]
    lifecycle:
      before_start: ["{line('before_start-db')}"]
      after_ready: ["{line('after_ready-db')}"]
      before_down: ["{line('before_down-db')}"]
  web:
    image: {IMAGE}
    init: true
    scale: 2
    command: sleep infinity
    volumes: ["./t:/t"]
    depends_on: {{db: {{condition: service_healthy}}}}
    hooks:
      post_build_root: "echo @NAME@; cat /proc/sys/kernel/random/uuid > /uuid"
      post_build: "cat /uuid > /uuid-2"
      pre_run: "echo pre_run-web >> /t/trace"
    pre_start: [{{per_replica: true, command: {inside('pre_start-web')}}}]
    post_start: [{{command: {inside('post_start-web')}}}]
    pre_stop: [{{command: {inside('pre_stop-web')}}}]
owned:
  job: {{cmd: "{line('job')}", oneshot: true, stop_cmd: "{line('stop-job')}", depends_on: [web]}}
  api:
    cmd: exec sleep 100000
    depends_on: [job]
    lifecycle:
      before_start: ["{line('before_start-api')}"]
      after_ready: ["{line('after_ready-api')}"]
      before_down: ["{line('before_down-api')}"]
volumes: {{data: }}
networks: {{back: }}
"""



def ended(world, operation):
    return world.daemon.get(f"/v1/operations/{operation}")["state"] != "running"


def carried(world, command, delay):
    """Runs a command; the daemon is killed after a while and started again. The operation."""
    before = world.daemon.get("/v1/operations")["operations"]
    before = before[0]["id"] if before else ""
    client = world.spawn(*command)
    if delay is not None:
        time.sleep(delay)
        world.daemon.kill()
        world.daemon.start()
    world.end_of(client)
    operations = world.daemon.get("/v1/operations")["operations"]
    if not operations or operations[0]["id"] == before:
        # The request died with the daemon before it was written down: asked again.
        check(delay is not None, f"no operation came of {command}")
        world.ctl(*command)
        operations = world.daemon.get("/v1/operations")["operations"]
    wait_until(lambda: ended(world, operations[0]["id"]), "the operation's end", limit=90)
    return world.daemon.get(f"/v1/operations/{operations[0]['id']}")


def look(world, operation, already):
    """What an operation did, seen from outside: lines of hooks, containers, records."""
    lines = world.lines("stack/t/trace")[already:]
    containers = world.engine.containers(world.project)
    running = collections.Counter(c["Labels"]["com.docker.compose.service"] for c in containers if c["State"] == "running")
    rows = [r for r in world.hooks() if r["operation"] == operation["id"]]
    records = collections.Counter((r["phase"], r["service"], r["index"], r["state"]) for r in rows if r["state"] != "skipped")
    return {"state": operation["state"], "error": operation.get("error"), "hooks": collections.Counter(lines), "running": running,
            "all containers": len(containers), "records": records,
            "networks": len(world.engine.networks(world.project)),
            "processes": len([p for p in world.processes() if "sleep 100000" in p and "shim" not in p])}


def live(world, life, choose):
    world.file("stack/t/trace", "")
    os.chmod(world.path("stack/t/trace"), 0o666)
    seen, already, took = [], 0, []
    for number, command in enumerate(life):
        began = time.monotonic()
        operation = carried(world, command, choose(number))
        took.append(time.monotonic() - began)
        seen.append(look(world, operation, already))
        already = len(world.lines("stack/t/trace"))
    # What a dead daemon asked for may still be at work in the engine (E5).
    wait_until(lambda: not world.engine.hook_images(world.project), "images of hooks to be gone", limit=10)
    return seen, took


def same(expected, got, what):
    for key in (key for key in expected if key != "error"):
        if expected[key] != got[key]:
            what = f"{what} ({got['error']})"
            more = got[key] - expected[key] if isinstance(got[key], collections.Counter) else got[key]
            less = expected[key] - got[key] if isinstance(got[key], collections.Counter) else expected[key]
            raise Failure(f"{what}: {key}: too much {dict(more) if isinstance(more, dict) else more}, "
                          f"missing {dict(less) if isinstance(less, dict) else less}")


def rounds(world, text, life):
    seed = int(os.environ.get("STACKD_E2E_SEED", random.randrange(1_000_000)))
    world.stack(text.replace("@NAME@", world.project))
    # The builder keeps the layers of hooks when their image is removed: each life has hooks of its own.
    expected, took = live(world, life, lambda number: None)
    for turn in range(int(os.environ.get("STACKD_E2E_KILLS", "1"))):
        chance = random.Random(seed + turn)
        delays = [chance.uniform(0, seconds * 1.05) for seconds in took]
        world.stack(text.replace("@NAME@", f"{world.project}-{turn}"))
        got, _ = live(world, life, lambda number: delays[number])
        for number, command in enumerate(life):
            same(expected[number], got[number], f"STACKD_E2E_SEED={seed + turn}: {' '.join(command)}, killed after "
                                                f"{delays[number]:.2f} of {took[number]:.2f} s")


@scenario("kill -9 of the daemon at random moments of up, restart, stop, start, recreate, scale and down of a stack with all thirteen phases")
def thirteen(world):
    rounds(world, THIRTEEN, LIFE)
    world.nothing_left(volumes=False)


@scenario("kill -9 of the daemon at random moments of an up that fails: the roll-back comes to its end, no hook runs twice")
def failing(world):
    text = THIRTEEN.replace("echo after_up >> t/trace", "echo after_up >> t/trace; exit 1")
    rounds(world, text, (["up"], ["down", "-t", "1", "--rmi", "local"]))
    world.nothing_left(volumes=False)
