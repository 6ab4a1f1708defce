"""The engine is killed in the middle of an operation, and comes back: the operation waits for it and ends by itself."""

import json
import os
import random
import signal
import time

from harness import IMAGE, check, equal, wait_until
from own_engine import own_engine
from scenarios import scenario

STACK = f"""
services:
  db:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t", "data:/data"]
    ready_when: {{cmd: "test -e t/go"}}
    pre_stop: [{{command: sh -c 'echo pre_stop >> /t/trace'}}]
  web:
    image: {IMAGE}
    init: true
    command: sleep infinity
    depends_on: {{db: {{condition: service_healthy}}}}
volumes: {{data: {{}}}}
lifecycle:
  before_up: ['echo before_up >> t/trace']
  after_up: ['echo after_up >> t/trace']
  before_down: ['echo before_down >> t/trace; while [ -e t/hold ]; do sleep 0.05; done']
  after_down: ['echo after_down >> t/trace']
"""


def lose(engine):
    engine.stop(signal.SIGKILL)


def up_loses_its_engine(world, how):
    with own_engine(world) as engine:
        world.stack(STACK)
        client = world.spawn("up")
        wait_until(lambda: engine.running(world.project, "db"), "the first container")
        engine.stop(how)
        wait_until(lambda: "waits up to 5m for the engine" in world.read("spawned-0.log"), "the client to be told")
        engine.start()
        wait_until(lambda: engine.running(world.project, "db"), "what was lost to run again")
        world.file("stack/t/go", "")
        world.end_of(client)
        equal(world.ended("up")["state"], "succeeded", "the up")
        equal(world.lines("stack/t/trace"), ["before_up", "after_up"], "the hooks")
        check(engine.running(world.project, "web"), "web runs")
        world.ctl("down", "-v").expect(0)
        world.nothing_left()


@scenario("The engine is killed in the middle of an up: it waits, starts again what was lost, and ends well; each hook once",
          daemon=False)
def lost_in_up(world):
    up_loses_its_engine(world, signal.SIGKILL)


@scenario("The engine is stopped in order in the middle of an up: what it ended on its way out is started again, and the up ends well", daemon=False)
def stopped_in_up(world):
    up_loses_its_engine(world, signal.SIGTERM)


@scenario("The engine is killed in the middle of a down: it waits, takes everything away, and runs each hook once", daemon=False)
def lost_in_down(world):
    with own_engine(world) as engine:
        world.stack(STACK)
        world.file("stack/t/go", "")
        world.ctl("up").expect(0)
        world.file("stack/t/hold", "")
        client = world.spawn("down", "-v")
        wait_until(lambda: "before_down" in world.lines("stack/t/trace"), "the down to begin")
        lose(engine)
        world.ctl("ls").expect(0)
        os.unlink(world.path("stack/t/hold"))
        wait_until(lambda: "waits up to 5m for the engine" in world.read("spawned-0.log"), "the client to be told")
        engine.start()
        world.end_of(client)
        lines = world.lines("stack/t/trace")
        equal((lines.count("before_down"), lines.count("after_down"), lines[-1]), (1, 1, "after_down"), "the hooks of down")
        world.nothing_left()


@scenario("An engine that stays away fails an operation after engine_patience, and says so; the next down takes all of it away",
          daemon=False)
def stays_away(world):
    os.makedirs(world.path("user/.config/stackd"))
    world.file("user/.config/stackd/daemon.yaml", "engine_patience: 2s\n")
    with own_engine(world) as engine:
        world.stack(STACK)
        client = world.spawn("up")
        wait_until(lambda: engine.running(world.project, "db"), "the first container")
        lose(engine)
        wait_until(lambda: world.ended("up"), "the up to give up")
        world.end_of(client)
        check("waited 2s" in json.dumps(world.ended("up")["error"]), f"its reason: {world.ended('up')['error']}")
        engine.start()
        wait_until(lambda: world.daemon.get("/v1/info")["engine_state"] == "reachable", "the engine")
        world.ctl("down", "-v").expect(0)
        world.nothing_left()


@scenario("The engine is lost again and again while it comes back: what it owed is still owed, and runs in the end", daemon=False)
def lost_again(world):
    with own_engine(world) as engine:
        world.stack(STACK)
        world.file("stack/t/go", "")
        world.ctl("up").expect(0)
        for _ in range(3):
            lose(engine)
            engine.start()
        wait_until(lambda: engine.running(world.project, "db") and engine.running(world.project, "web"), "both to run", limit=60)
        wait_until(lambda: world.status()["status"] == "up" and all(
            o["state"] != "running" for o in world.daemon.get("/v1/operations")["operations"]), "rest", limit=60)
        world.ctl("down", "-v").expect(0)
        world.nothing_left()


@scenario("The engine is killed at random moments of up, down and rest: every operation ends by itself, and nothing is left",
          daemon=False)
def random_moments(world):
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    with own_engine(world) as engine:
        world.stack(STACK.replace("while [ -e t/hold ]; do sleep 0.05; done", "true"))
        world.file("stack/t/go", "")
        for _ in range(4):
            for verb in (("up",), ("down", "-v")):
                client = world.spawn(*verb)
                time.sleep(dice.random() * 0.6)  # the moment is the point
                lose(engine)
                engine.start()
                wait_until(lambda: world.ended(verb[0]), f"the {verb[0]} to end (seed {seed})", limit=60)
                world.end_of(client)
            world.ctl("down", "-v").expect(0)
            world.nothing_left()


@scenario("The engine is lost while a process becomes ready: the containers of the up are started again, and it ends well", daemon=False)
def lost_beside_process(world):
    with own_engine(world) as engine:
        world.stack(STACK.replace("    ready_when: {cmd: \"test -e t/go\"}\n", "").replace("    depends_on: {db: {condition: service_healthy}}\n", "")
                    + "owned: {proc: {cmd: exec sleep 1000, ready_when: {cmd: \"test -e t/go\"}}}\n")
        client = world.spawn("up")
        wait_until(lambda: len(engine.running(world.project)) == 2, "both containers")
        wait_until(lambda: world.services()["proc"]["status"] == "starting", "the process")
        for how in (signal.SIGKILL, signal.SIGTERM):
            engine.stop(how)
            engine.start()
            wait_until(lambda: len(engine.running(world.project)) == 2, f"both containers to run again after {how.name}")
        world.file("stack/t/go", "")
        world.end_of(client)
        equal(world.ended("up")["state"], "succeeded", "the up")
        equal(world.lines("stack/t/trace"), ["before_up", "after_up"], "the hooks")
        world.ctl("down", "-v").expect(0)
        world.nothing_left()
