"""Clients come and go: what Ctrl-C, a killed client and a closed terminal do to the operation."""

import os
import signal

from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario

WAITING = "touch t/began; while [ ! -e t/go ]; do sleep 0.05; done"


def began(world):
    wait_until(lambda: os.path.exists(world.path("stack/t/began")), "the hook to begin")


@scenario("L2.5: kill -9 of the client during up changes nothing: the stack comes up")
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


@scenario("T31, X4, C4.10: Ctrl-C while pre_start runs: its container goes, and the service is never started")
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


@scenario("C2.7, X9: a stop that is cancelled ends the pre_stop that runs, its tree in the container too, and its record says so")
def cancelled_stop(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    network_mode: none
    command: sleep infinity
    volumes: ["./t:/t"]
    pre_stop: [{{command: sh -c 'test -e /t/began && exit; sleep 1187 & touch /t/began; sleep 1188'}}]
""")
    world.ctl("up").expect(0)
    box = world.engine.running(world.project)[0]["Id"]
    client = world.spawn("stop")
    began(world)
    operation = world.daemon.get("/v1/operations")["operations"][0]["id"]
    request(world.daemon.socket, "POST", f"/v1/operations/{operation}/cancel")
    equal(world.end_of(client).code, 130, "exit code of stop")
    equal([run["state"] for run in world.hooks() if run["phase"] == "pre_stop"], ["cancelled"], "the record")
    running = [line[-1] for line in world.engine.call("GET", f"/containers/{box}/top")["Processes"]]
    check(not any("118" in line for line in running), f"X9: what still runs in the container: {running}")
    equal(world.status()["status"], "up", "the stack, which was not stopped")
