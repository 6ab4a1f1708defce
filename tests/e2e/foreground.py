"""An up that stays at the logs: what is shown, what ends it, with which exit code; Ctrl-C once and twice, before ready and after."""

import signal
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

STACK = f"""
services:
  db: {{image: {IMAGE}, command: [sh, -c, "trap 'exit 0' TERM; echo db begins; while :; do sleep 0.1; done"]}}
  web:
    image: {IMAGE}
    depends_on: [db]
    command: [sh, -c, "echo web begins; while [ ! -e /t/end ]; do sleep 0.05; done; echo web ends; exit $$(cat /t/end)"]
    volumes: ["@DIR@/t:/t"]
"""
STUBBORN = f"""
services:
  deaf: {{image: {IMAGE}, command: [sh, -c, "trap '' TERM; echo begun; while :; do sleep 0.1; done"], stop_grace_period: 60s}}
"""


def shown(child, words):
    return wait_until(lambda: words in open(child.output.name, "rb").read().decode(), f"{words!r}")


def states(world):
    return {c["Labels"]["com.docker.compose.service"]: c["State"] for c in world.engine.containers(world.project)}


@scenario("up --attach stays at the logs; Ctrl-C stops the services, whose containers stay, and the exit code is 130")
def interrupted(world):
    world.stack(STACK)
    up = world.spawn("up", "--attach")
    shown(up, "web begins")
    shown(up, "db begins")
    equal(states(world), {"db": "running", "web": "running"}, "attached")
    up.send_signal(signal.SIGINT)
    said = world.end_of(up).expect(130).out
    check("db | db begins" in said.replace("db  |", "db |") and "web | web begins" in said, said)
    equal(states(world), {"db": "exited", "web": "exited"}, "after Ctrl-C")
    # Unchanged, and only one of them shown.
    again = world.spawn("up", "--attach", "web", "--no-log-prefix")
    shown(again, "web begins\n")
    again.send_signal(signal.SIGINT)
    check("db begins" not in world.end_of(again).expect(130).out, "a service that was not asked for")


@scenario("a second Ctrl-C kills what does not stop; before ready the first cancels the up")
def twice(world):
    world.stack(STUBBORN)
    up = world.spawn("up", "--attach")
    shown(up, "begun")
    begun = time.monotonic()
    up.send_signal(signal.SIGINT)
    shown(up, "again kills")
    up.send_signal(signal.SIGINT)
    world.end_of(up, 40).expect(130)
    check(time.monotonic() - begun < 40, "it took its whole grace period")
    equal(states(world), {"deaf": "exited"}, "killed")
    world.ctl("down").expect(0)
    world.stack(STUBBORN.replace("stop_grace_period: 60s", "stop_grace_period: 1s, healthcheck: {test: [CMD, 'false'], retries: 1000}"))
    up = world.spawn("up", "--attach")
    wait_until(lambda: states(world).get("deaf") == "running", "a container that never gets healthy")
    up.send_signal(signal.SIGINT)
    world.end_of(up).expect(130)
    equal(states(world), {}, "cancelled, and taken away")


@scenario("--abort-on-container-exit, --abort-on-container-failure and --exit-code-from stop the others when one has ended, and end with its code")
def aborted(world):
    world.stack(STACK)
    for options, code, expected in ((["--abort-on-container-exit"], "3", 3), (["--abort-on-container-exit"], "0", 0),
                                    (["--abort-on-container-failure"], "4", 4), (["--exit-code-from", "web"], "5", 5),
                                    (["--exit-code-from", "db"], "6", 0)):
        world.file("stack/t/none", "")
        up = world.spawn("up", *options)
        shown(up, "web begins")
        world.file("stack/t/end", code)
        said = world.end_of(up).expect(expected).out
        check(f"web exited with code {code}" in said and "web ends" in said, said)
        equal(states(world), {"db": "exited", "web": "exited"}, f"after {options}")
        world.ctl("down").expect(0)
        import os
        os.remove(world.path("stack/t/end"))
    # One that succeeds ends nothing where only a failure is to.
    up = world.spawn("up", "--abort-on-container-failure")
    shown(up, "web begins")
    world.file("stack/t/end", "0")
    shown(up, "web exited with code 0")
    equal(states(world)["db"], "running", "the other one")
    up.send_signal(signal.SIGINT)
    world.end_of(up).expect(130)


@scenario("a one that ends before all are ready gives its exit code to an up that asks for it; without such an option all is as before")
def early(world):
    world.stack(f"""
services:
  test: {{image: {IMAGE}, command: [sh, -c, "echo tested; exit 7"]}}
  slow: {{image: {IMAGE}, command: [sleep, "1000"], stop_grace_period: 0s}}
""")
    said = world.ctl("up", "--exit-code-from", "test").expect(7).text
    check("tested" in said, said)
    equal(states(world), {"test": "exited", "slow": "exited"}, "stopped")
    world.ctl("up", "--attach", "-d").expect(2)
    world.ctl("up", "--attach", "test", "--attach-dependencies").expect(2)
    world.ctl("up", "--menu=false", "slow").expect(0)
