"""X34: what an up takes out of service is kept until it has worked; one that fails puts it back."""

from harness import IMAGE, check, equal
from scenarios import scenario


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
