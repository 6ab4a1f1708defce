"""X34: what an up takes out of service is kept until it has worked; one that fails puts it back."""

import os

from harness import IMAGE, Failure, check, equal, wait_until
from scenarios import scenario

MOST = 400  # commits; an operation that has more than these does not end


def box(level, health="true", extra=""):
    return f"""
  db:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    restart: unless-stopped
    environment: {{LEVEL: "{level}"}}
    healthcheck: {{test: ["CMD-SHELL", "{health}"], interval: 1s, retries: 2, start_period: 0s}}
{extra}"""


def ids(world, service):
    return sorted(c["Id"] for c in world.engine.containers(world.project)
                  if c["Labels"].get("com.docker.compose.service") == service)


def is_as_it_was(world, before, level="1"):
    equal(ids(world, "db"), before, "the containers of db")
    there = world.engine.inspect(before[0])
    equal(there["Name"], f"/{world.project}-db-1", "its name")
    equal(there["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped", "its restart policy")
    check(there["State"]["Running"], "db does not run")
    check(f"LEVEL={level}" in there["Config"]["Env"], "db has another environment")
    equal(world.status()["status"], "up", "the stack's status")


@scenario("X34: a failed up puts back what it replaced: name, policy, spec and state; the next up tries again, and keeps nothing")
def put_back(world):
    hooks = """    lifecycle:
      before_start: ["echo before_start $STACKD_REASON >> t/trace"]
      after_ready: ["echo after_ready $STACKD_REASON >> t/trace"]
    pre_start: [{command: "true"}]
"""
    world.stack("services:" + box(1, extra=hooks))
    world.ctl("up").expect(0)
    before = ids(world, "db")
    world.file("stack/stackd.yaml", "services:" + box(2, "echo no such luck; false", hooks))
    world.ctl("up").expect(1, "db")
    is_as_it_was(world, before)
    equal(world.lines("stack/t/trace")[-2:], ["before_start rollback", "after_ready rollback"], "the hooks of the roll-back")
    world.ctl("up").expect(1, "db")
    is_as_it_was(world, before)
    world.file("stack/stackd.yaml", "services:" + box(3, extra=hooks))
    world.ctl("up").expect(0)
    after = ids(world, "db")
    equal(len(after), 1, "containers after an up that works")
    check(after != before, "db was not made anew")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: with --keep the former stays stopped beside the wreck, hidden from status, until an up that works, or down")
def kept_beside_the_wreck(world):
    world.stack("services:" + box(1))
    world.ctl("up").expect(0)
    before = ids(world, "db")
    world.file("stack/stackd.yaml", "services:" + box(2, "false"))
    world.ctl("up", "--keep").expect(1, "db")
    equal(len(ids(world, "db")), 2, "the former and the wreck")
    former = world.engine.inspect(before[0])
    equal(former["Name"], f"/{before[0][:12]}_{world.project}-db-1", "the former's name")
    equal(former["HostConfig"]["RestartPolicy"]["Name"], "no", "the former's restart policy")
    check(not former["State"]["Running"], "the former runs")
    # One that fails without --keep goes back to what was up last, not to the wreck.
    world.file("stack/stackd.yaml", "services:" + box(3, "false"))
    world.ctl("up").expect(1, "db")
    is_as_it_was(world, before)
    world.file("stack/stackd.yaml", "services:" + box(2, "false"))
    world.ctl("up", "--keep").expect(1, "db")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: a process that a failed up has made anew runs again from the former spec")
def process_put_back(world):
    text = "services: {{}}\nowned:\n  api: {{cmd: 'echo {0} >> t/trace; exec sleep 1000'}}\n{1}"
    world.stack(text.format("one", ""))
    world.ctl("up").expect(0)
    world.file("stack/stackd.yaml", text.format("two", "lifecycle: {after_up: ['exit 1']}\n"))
    world.ctl("up").expect(1, "after_up")
    equal(world.lines("stack/t/trace"), ["one", "two", "one"], "the starts of api")
    equal(world.status()["status"], "up", "the stack's status")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: surplus replicas, orphans, dependents and a network that was made anew come back with a failed up")
def all_that_was_taken(world):
    world.stack(f"""
services:
  db: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s, networks: [inner]}}
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s, scale: 2}}
  old: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s}}
networks: {{inner: {{labels: {{v: "1"}}}}}}
""")
    world.ctl("up").expect(0)
    before = {name: ids(world, name) for name in ("db", "web", "old")}
    world.file("stack/stackd.yaml", f"""
services:
  db: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s, networks: [inner]}}
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s}}
networks: {{inner: {{labels: {{v: "2"}}}}}}
lifecycle: {{after_up: ["exit 1"]}}
""")
    world.ctl("up", "--remove-orphans").expect(1, "after_up")
    equal({name: ids(world, name) for name in ("db", "web", "old")}, before, "the containers")
    equal(len(world.engine.running(world.project)), 4, "those that run")
    networks = world.engine.inspect(before["db"][0])["NetworkSettings"]["Networks"]
    check(networks[f"{world.project}_inner"]["IPAddress"], f"db is on no network: {networks}")
    check("db" in networks[f"{world.project}_inner"]["Aliases"], f"db is not found by its name: {networks}")
    equal(world.status()["status"], "up", "the stack's status")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: kill -9 of the daemon at the commits of an up that fails: what ran before runs again, each time", daemon=False)
def killed_on_the_way(world):
    world.stack("services:" + box(1))
    world.daemon.start()
    world.ctl("up").expect(0)
    before = ids(world, "db")
    world.daemon.stop()
    world.file("stack/stackd.yaml", "services:" + box(2) + "lifecycle: {after_up: ['exit 1']}\n")
    step = 1 if os.environ.get("STACKD_E2E_CRASH") == "all" else 4
    points = 0
    for number in range(3, MOST, step):
        crash_at = f"{'before' if points % 2 else 'after'}:{number}"
        world.daemon.start(crash_at=crash_at, wait=False)
        wait_until(lambda: world.daemon.answers() or world.daemon.process.poll() is not None, "the daemon")
        client = world.spawn("up")
        wait_until(lambda: client.poll() is not None or world.daemon.process.poll() is not None, "an end", limit=90)
        died = world.daemon.process.poll() is not None
        if died:
            world.daemon.start()
        result = world.end_of(client)
        # A wish that died before it was written was never one.
        if result.code == 3 or "reached" in result.text:
            result = world.ctl("up")
        result.expect(1, "after_up")
        try:
            is_as_it_was(world, before)
        except Failure as failure:
            raise Failure(f"a daemon that dies at {crash_at}: {failure}")
        world.daemon.stop()
        if not died:
            break
        points += 1
    check(points > 5, f"the daemon died at {points} points only")
    world.daemon.start()
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: rollback after up --keep goes back by hand, over several failed ups, and has nothing to do a second time")
def back_by_hand(world):
    world.stack("services:" + box(1))
    world.ctl("up").expect(0)
    before = ids(world, "db")
    for level in (2, 3):
        world.file("stack/stackd.yaml", "services:" + box(level, "false") + f"""
  more:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_grace_period: 1s
""")
        world.ctl("up", "--keep").expect(1, "db")
    equal(len(ids(world, "more")), 1, "what the failed ups have made")
    world.ctl("rollback").expect(0)
    is_as_it_was(world, before)
    equal(ids(world, "more"), [], "what the failed ups have made")
    world.ctl("rollback").expect(5, "nothing to go back to")
    is_as_it_was(world, before)
    world.file("stack/stackd.yaml", "services:" + box(1))
    world.ctl("up").expect(0, "nothing to do")
    world.ctl("rollback").expect(5, "nothing to go back to")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: a container that was paused is put back paused")
def paused_before(world):
    world.stack("services:" + box(1))
    world.ctl("up").expect(0)
    before = ids(world, "db")
    world.ctl("pause").expect(0)
    world.file("stack/stackd.yaml", "services:" + box(2, "false"))
    world.ctl("up").expect(1, "db")
    equal(ids(world, "db"), before, "the containers of db")
    check(world.engine.inspect(before[0])["State"]["Paused"], "db is not paused")
    world.ctl("unpause").expect(0)
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X34: a way back that fails itself says both causes, exits with 1 and removes nothing more")
def no_way_back(world):
    world.stack(f"services:" + box(1) + """
    ready_when: {cmd: "test ! -e t/broken", timeout: 1s}
""")
    world.ctl("up").expect(0)
    before = ids(world, "db")
    world.file("stack/stackd.yaml", "services:" + box(2) + "lifecycle: {after_up: ['touch t/broken; echo it is the hook >&2; exit 1']}\n")
    failed = world.ctl("up").expect(1, "it is the hook", "on the way back", "did not become ready")
    equal(ids(world, "db"), before, f"the containers of db after\n{failed.text}\n")
    check(world.engine.inspect(before[0])["State"]["Running"], "db does not run")
    world.ctl("down").expect(0)
    world.nothing_left()
