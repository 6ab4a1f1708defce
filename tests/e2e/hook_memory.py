"""X36: run: once and run: changed are judged in every up, and belong to the stack's directory or to a volume."""

from harness import IMAGE, check, equal
from scenarios import scenario

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


def container(world):
    return world.engine.containers(world.project)[0]["Id"]


@scenario("X36: run: changed is judged in every up, and runs alone where nothing else is to be done")
def changed_in_place(world):
    world.stack(f"""
services:
  db: {{{BOX}, lifecycle: {{after_ready: [{{cmd: echo ready >> t/trace, run: changed, inputs: [db/ready]}}]}}}}
lifecycle:
  before_up: ['echo before >> t/trace']
  after_up: [{{cmd: echo up >> t/trace, run: changed, inputs: ['db/*.sql']}}, 'echo always >> t/trace']
""")
    world.ctl("up").expect(0)
    first = ["before", "ready", "up", "always"]
    equal(world.lines("stack/t/trace"), first, "first up")
    made = container(world)
    world.ctl("up").expect(0, "nothing to do")
    world.file("stack/db/01.sql", "1")
    world.ctl("up", "--dry-run").expect(10, "run after_up[0]: inputs changed: db/01.sql")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), first + ["up"], "the migration alone")
    world.file("stack/db/ready", "1")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), first + ["up", "ready"], "and after_ready alone")
    world.ctl("up").expect(0, "nothing to do")
    equal(container(world), made, "the container")


@scenario("X36: what comes before a service's start counts as a change of it")
def changed_before_start(world):
    world.stack(f"""
services:
  db:
    {{{BOX}, pre_start: [{{image: {IMAGE}, command: "true", run: changed, inputs: [seed]}}]}}
owned:
  api: {{cmd: exec sleep 1000, lifecycle: {{before_start: [{{cmd: echo api >> t/trace, run: changed, inputs: [conf]}}]}}}}
""")
    world.ctl("up").expect(0)
    made, pid = container(world), world.services()["api"]["pid"]
    world.file("stack/seed", "1")
    world.ctl("up", "--dry-run").expect(10, "recreate db: pre_start[0] is to run: inputs changed: seed")
    world.ctl("up").expect(0)
    check(container(world) != made, "the container was not made anew")
    equal(world.services()["api"]["pid"], pid, "the process")
    world.file("stack/conf", "1")
    world.ctl("up").expect(0)
    check(world.services()["api"]["pid"] != pid, "the process was not started anew")
    equal(world.lines("stack/t/trace"), ["api", "api"], "before_start")
    world.ctl("up").expect(0, "nothing to do")


@scenario("X36: once belongs to the directory until down -v, or to the making of a volume")
def once(world):
    world.stack(f"""
services:
  db: {{{BOX}, volumes: ['data:/v']}}
volumes: {{data: {{}}}}
lifecycle:
  after_up: [{{cmd: echo once >> t/trace, run: once}}, {{cmd: echo volume >> t/trace, once: 'volume:data'}}]
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["once", "volume"], "first up")
    world.ctl("down").expect(0)
    world.ctl("up").expect(0)
    skipped = [h["reason"] for h in world.hooks() if h["state"] == "skipped"]
    check(len(skipped) == 2 and "run: once, and it has run in this stack's directory, 20" in skipped[0]
          and "once: volume:data, and it has run since that was made, 20" in skipped[1], skipped)
    world.ctl("down").expect(0)
    volume = world.engine.volumes(world.project)[0]["Name"]
    world.engine.call("DELETE", f"/volumes/{volume}")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["once", "volume", "volume"], "after the volume was made anew")
    world.ctl("down", "-v").expect(0)
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace")[3:], ["once", "volume"], "after down -v")
    world.stack(world.read("stack/stackd.yaml").replace("volume:data", "volume:date"))
    world.ctl("validate").expect(2, "there is no such volume, did you mean 'data'?")


@scenario("X36: up --rerun-hooks runs again what remembers, and with a phase all of it")
def rerun(world):
    world.stack(f"""
services:
  db: {{{BOX}}}
lifecycle:
  before_up: ['echo before >> t/trace']
  after_up: [{{cmd: echo once >> t/trace, run: once}}, 'echo always >> t/trace']
""")
    world.ctl("up").expect(0)
    world.ctl("up", "--rerun-hooks", "--dry-run").expect(10, "run after_up[0]: --rerun-hooks")
    world.ctl("up", "--rerun-hooks").expect(0)
    equal(world.lines("stack/t/trace")[3:], ["once"], "all that remember")
    world.ctl("up", "--rerun-hooks", "after_up").expect(0)
    equal(world.lines("stack/t/trace")[4:], ["once", "always"], "a phase")
    world.ctl("up", "--rerun-hooks", "after_ups").expect(2, "did you mean 'after_up'?")
    world.ctl("up").expect(0, "nothing to do")
