"""A storm: four clients that wish for everything at once, of the same stacks. STACKD_STORM_SECONDS=300 makes it long."""

import os
import random
import signal
import threading
import time

from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario

# What a client may hear while others wish for the opposite: done; failed or cancelled by another; no such stack any more;
# a conflict; interrupted, be it before the client had anything to take back.
ANSWERS = {0, 1, 5, 6, 130, -signal.SIGINT}
HOOKS = ["before_up", "after_up", "before_down", "after_down"]


def text(name):
    hooks = ", ".join(f"{hook}: ['echo {hook} >> t/trace']" for hook in HOOKS)
    return f"""
name: {name}
services:
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL}}
owned:
  api: {{cmd: exec sleep 1000, depends_on: [web]}}
  job: {{cmd: exec sleep 1001}}
lifecycle: {{{hooks}}}
"""


def cancel_one(world, choose):
    running = [o for o in world.daemon.get("/v1/operations")["operations"] if o["state"] == "running"]
    if running:
        status, document = request(world.daemon.socket, "POST", f"/v1/operations/{choose.choice(running)['id']}/cancel")
        check(status in (200, 202, 409), f"cancel: {status} {document}")


def client(world, stacks, until, seed, heard):
    choose = random.Random(seed)
    while time.monotonic() < until:
        stack = choose.choice(stacks)
        wish = choose.choice(["up", "up", "up", "down", "restart", "stop", "start", "up --keep", "interrupt", "cancel", "status"])
        if wish == "cancel":
            cancel_one(world, choose)
        elif wish == "interrupt":
            child = world.spawn("up", directory=stack, project=False)
            time.sleep(choose.uniform(0, 0.4))
            child.send_signal(signal.SIGINT)
            heard.append((wish, stack, world.end_of(child)))
        else:
            heard.append((wish, stack, world.ctl(*wish.split(), directory=stack, project=False)))


@scenario("A storm of four clients (up, down, restart, stop, start, cancel, Ctrl-C) on three stacks: every wish has an end, one operation of a stack at a time, and nothing is left")
def storm(world):
    seconds = float(os.environ.get("STACKD_STORM_SECONDS", 15))
    stacks = [f"{world.project}-{n}" for n in range(3)]
    for name in stacks:
        world.stack(text(name), directory=name)
    seed = int(os.environ.get("STACKD_STORM_SEED", random.randrange(1 << 30)))
    heard, until = [], time.monotonic() + seconds
    clients = [threading.Thread(target=client, args=(world, stacks, until, seed + n, heard)) for n in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join(seconds + 120)
        check(not one.is_alive(), f"a client of seed {seed} had no answer")
    odd = [(wish, result.code, result.text[-400:]) for wish, _, result in heard if result.code not in ANSWERS]
    check(not odd, f"seed {seed}: answers {odd[:3]}")
    settled = lambda: all(o["state"] != "running" for o in world.daemon.get("/v1/operations")["operations"])
    wait_until(settled, "every operation to end")

    for name in stacks:
        world.ctl("up", directory=name, project=False).expect(0)
        services = {s["name"]: s["status"] for s in next(s for s in world.daemon.get("/v1/stacks")["stacks"] if s["name"] == name)["services"]}
        equal(services, {"web": "ready", "api": "ready", "job": "ready"}, f"seed {seed}: {name} after the storm")
        equal(len(world.engine.running(name)), 1, f"seed {seed}: containers of {name}")
        world.ctl("down", directory=name, project=False).expect(0)
    # Operations of one stack do not overlap, but for a down that has cancelled what ran, and waits for its end.
    for stack in world.daemon.get("/v1/stacks")["stacks"]:
        operations = world.daemon.get(f"/v1/operations?stack={stack['id']}")["operations"]
        spans = sorted((o["started_at"], o["ended_at"], o["kind"], o["state"], o["id"]) for o in operations)
        for before, after in zip(spans, spans[1:]):
            fits = after[0] >= before[1] or after[2] == "down" and (after[1] >= before[1] or after[3] == "cancelled")
            check(fits, f"seed {seed}: {stack['name']} had two operations at once: {before}, {after}")
    for name in stacks:
        equal(world.engine.containers(name), [], f"seed {seed}: what is left of {name}")
    world.nothing_left()
