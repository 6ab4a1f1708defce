"""Clients come and go: what Ctrl-C, a killed client and a closed terminal do to the operation."""

import os
import signal

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

WAITING = "touch t/began; while [ ! -e t/go ]; do sleep 0.05; done"


def began(world):
    wait_until(lambda: os.path.exists(world.path("stack/t/began")), "the hook to begin")


@scenario("kill -9 of the client during up changes nothing: the stack comes up")
def killed_client(world):
    world.stack(f"owned: {{a: {{cmd: exec sleep 1000}}}}\nlifecycle: {{before_up: ['{WAITING}']}}\n")
    client = world.spawn("up")
    began(world)
    client.kill()
    client.wait()
    world.file("stack/t/go", "")
    wait_until(lambda: world.status()["status"] == "up", "the stack to be up")


@scenario("A closed terminal (SIGHUP) does not cancel an up")
def closed_terminal(world):
    world.stack(f"owned: {{a: {{cmd: exec sleep 1000}}}}\nlifecycle: {{before_up: ['{WAITING}']}}\n")
    client = world.spawn("up")
    began(world)
    os.killpg(client.pid, signal.SIGHUP)
    world.end_of(client)
    world.file("stack/t/go", "")
    wait_until(lambda: world.status()["status"] == "up", "the stack to be up")


@scenario("X26: Ctrl-C during up cancels it: exit code 130, the hook's tree ends, nothing is left")
def interrupted(world):
    world.stack(f"""
services: {{box: {{image: {IMAGE}, init: true, command: sleep infinity}}}}
owned: {{a: {{cmd: exec sleep 1000, depends_on: []}}}}
lifecycle: {{after_up: ["{WAITING}"]}}
""")
    client = world.spawn("up")
    began(world)
    os.killpg(client.pid, signal.SIGINT)
    result = world.end_of(client)
    equal(result.code, 130, f"exit code of {result}")
    world.nothing_left()
    operation = world.daemon.get("/v1/operations")["operations"][0]
    equal(operation["state"], "cancelled", "the operation")


@scenario("T31, X4: Ctrl-C while pre_start runs: its container goes, and the service is never started")
def interrupted_pre_start(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sh -c 'echo started >> /t/trace; sleep infinity'
    volumes: ["./t:/t"]
    pre_start: [{{command: "sh -c 'touch /t/began; sleep 1000'"}}]
""")
    client = world.spawn("up")
    began(world)
    os.killpg(client.pid, signal.SIGINT)
    result = world.end_of(client)
    equal(result.code, 130, f"exit code of {result}")
    world.nothing_left()
    equal(world.lines("stack/t/trace"), [], "starts of the service")


@scenario("A down during an up cancels the up and takes everything away")
def down_during_up(world):
    world.stack(f"""
services: {{box: {{image: {IMAGE}, init: true, command: sleep infinity}}}}
lifecycle: {{after_up: ["{WAITING}"]}}
""")
    client = world.spawn("up")
    began(world)
    world.ctl("down").expect(0)
    result = world.end_of(client)
    check(result.code in (1, 130), f"the up that was taken down: {result}")
    world.nothing_left()
    equal(world.status()["status"], "down", "status")


@scenario("up --detach returns at once; the operation is in the history with its steps and times")
def detached(world):
    world.stack(f"owned: {{a: {{cmd: exec sleep 1000}}}}\nlifecycle: {{before_up: ['{WAITING}']}}\n")
    world.ctl("up", "--detach", limit=10).expect(0)
    began(world)
    world.file("stack/t/go", "")
    wait_until(lambda: world.status()["status"] == "up", "the stack to be up")
    operation = world.daemon.get("/v1/operations")["operations"][0]
    equal(operation["state"], "succeeded", "the operation")
    steps = world.daemon.get(f"/v1/operations/{operation['id']}")["steps"]
    check(steps and all(step.get("ended_at") for step in steps), f"every step has ended: {steps}")
    world.ctl("timeline").expect(0, "before_up")


@scenario("up --timeout: an operation that takes longer fails and is taken away")
def operation_timeout(world):
    world.stack(f"owned: {{a: {{cmd: exec sleep 1000}}}}\nlifecycle: {{after_up: ['{WAITING}']}}\n")
    result = world.ctl("up", "--timeout", "1s", limit=30)
    check(result.code in (1, 130), f"{result}: expected it to fail")
    world.nothing_left()
