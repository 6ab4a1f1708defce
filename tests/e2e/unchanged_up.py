"""What an up that has nothing to do costs: one commit, and one list of each kind from the engine, all at once."""

import os
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario
from watched_engine import WatchedEngine

LISTS = ["GET /containers/json", "GET /images/json", "GET /networks", "GET /volumes"]
STACK = f"""
services:
  web:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: [data:/data]
    post_start: [{{command: "true"}}]
    depends_on: [db]
  db: {{image: {IMAGE}, init: true, command: sleep infinity, scale: 2}}
owned:
  api: {{cmd: exec sleep 1000, port: {{env: PORT}}}}
lifecycle: {{after_up: ['echo up >> t/trace']}}
volumes: {{data: {{}}}}
"""


def commits(world):
    return world.daemon.get("/v1/info")["store_commits"]


def at_rest(world, engine):
    """Nothing was written and nothing asked for a second."""
    seen, since = None, time.monotonic()

    def quiet():
        nonlocal seen, since
        now = (commits(world), len(engine.asked))
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 1

    wait_until(quiet, "nothing to go on")
    return seen


def watched(function):
    """The scenario with an engine that is watched, which its daemon is started with."""

    def run(world):
        engine = WatchedEngine(os.path.join(world.short, "e"), world.engine.socket)
        world.environment["STACKD_DOCKER_HOST"] = "unix://" + engine.socket
        try:
            world.daemon.start()
            function(world, engine)
            world.ctl("down", "-v").expect(0)
            world.nothing_left()
        finally:
            world.daemon.stop()
            engine.close()

    return run


@scenario("An unchanged up is one commit, and one list each of containers, images, networks and volumes at once; the operation is told as any other", daemon=False)
@watched
def unchanged(world, engine):
    os.makedirs(world.path("stack/t"))
    world.stack(STACK)
    world.ctl("up").expect(0)
    for turn in range(3):
        written, asked = at_rest(world, engine)
        engine.delay = 0.1 if turn == 2 else 0
        began = time.monotonic()
        world.ctl("up").expect(0, "nothing to do")
        took = time.monotonic() - began
        engine.delay = 0
        now = at_rest(world, engine)
        equal(sorted(engine.since(asked)), LISTS, "what the engine was asked")
        equal(now[0] - written, 1, "commits")
        if turn == 2:
            check(took < 0.3, f"asked one after the other: {took} s with 0.1 s for each")
    up = world.daemon.get("/v1/operations")["operations"][0]
    equal((up["kind"], up["state"], up.get("unchanged")), ("up", "succeeded", True), "the operation")
    whole = world.daemon.get(f"/v1/operations/{up['id']}")
    equal([(s["kind"], s["state"]) for s in whole["steps"]], [("plan-up", "done")], "its steps")
    told = [line for line in world.ctl("up", "--json").expect(0).out.splitlines() if '"kind"' in line]
    kinds = [kind for line in told for kind in ("operation.started", "step.started", "step.ended", "operation.ended") if f'"{kind}"' in line]
    equal(kinds, ["operation.started", "step.started", "step.ended", "operation.ended"], "its events")
    equal(world.lines("stack/t/trace"), ["up"], "after_up, which an up without work does not run")


@scenario("What is not as it should be is found by the same look: a container that was stopped, started, left a network, or is gone; a process that ended; a file that changed; a hook that is due", daemon=False)
@watched
def not_unchanged(world, engine):
    os.makedirs(world.path("stack/t"))
    world.file("stack/input", "1")
    world.stack(STACK.replace("['echo up >> t/trace']", "[{cmd: 'echo up >> t/trace', run: changed, inputs: [input]}]"))
    world.ctl("up").expect(0)
    project, real = world.project, world.engine

    def container(service):
        return real.containers(project, service)[0]["Id"]

    def back(what):
        result = world.ctl("up").expect(0)
        check("nothing to do" not in result.text, f"after {what} there was nothing to do:\n{result.text}")
        equal({name: s["status"] for name, s in world.services().items()}, {"web": "ready", "db": "ready", "api": "ready"}, f"after {what}")
        world.ctl("up").expect(0, "nothing to do")

    real.call("POST", f"/containers/{container('db')}/kill")
    wait_until(lambda: world.services()["db"]["status"] == "exited", "the end to be seen")
    back("a kill")
    real.call("DELETE", f"/containers/{container('web')}?force=1")
    back("a removal")
    network = real.networks(project)[0]["Id"]
    real.call("POST", f"/networks/{network}/disconnect", {"Container": container("web")})
    back("a disconnection")
    os.kill(world.services()["api"]["pid"], 9)
    wait_until(lambda: world.services()["api"]["status"] == "exited", "the end of the process to be seen")
    back("the end of a process")
    world.file("stack/input", "2")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["up", "up"], "a hook whose input changed")
    world.ctl("up").expect(0, "nothing to do")
    world.stack(STACK.replace("sleep infinity, scale: 2", "sleep infinity, scale: 3"))
    back("an edit")
    equal(len(real.running(project, "db")), 3, "replicas")
