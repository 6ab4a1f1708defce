"""Plan first: what an up, a restart or a down would do, and why; nothing is touched by asking."""

import os

from harness import IMAGE, check, equal, request
from scenarios import scenario

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"
FILE = f"""
services:
  db: {{{BOX}, environment: {{LEVEL: "@LEVEL@"}}, healthcheck: {{test: [CMD, "@TEST@"], interval: 1s}}}}
  web:
    {{{BOX}, depends_on: {{db: {{condition: service_healthy, restart: true}}}}, post_start: [{{command: "true"}}]}}
owned:
  api: {{cmd: exec sleep @SLEEP@}}
lifecycle:
  before_up: ['echo before >> t/trace']
  after_up:
    - {{cmd: 'echo changed >> t/trace', run: changed, inputs: ['db/*.sql']}}
    - {{cmd: 'echo once >> t/trace', run: once}}
"""


def write(world, level="1", test="true", sleep="1000"):
    world.stack(FILE.replace("@LEVEL@", level).replace("@TEST@", test).replace("@SLEEP@", sleep))


def actions(plan):
    return [f"{a['action']} {a['subject']}" for a in plan["actions"]]


def picture(world):
    """All that a dry run must leave alone: engine, store and disk."""
    engine = sorted(c["Id"] + c["State"] for c in world.engine.containers(world.project))
    engine += sorted(n["Id"] for n in world.engine.networks(world.project))
    files = sorted(os.path.join(where, name) for where, _, names in os.walk(world.path("home"))
                   for name in names if not name.startswith("state.db"))
    stacks = [(s["id"], s["status"], s["updated_at"]) for s in world.daemon.get("/v1/stacks")["stacks"]]
    return engine, files, stacks, world.daemon.get("/v1/operations"), world.lines("stack/t/trace")


@scenario("A dry run says each action and why, touches nothing, and the up that follows does exactly that")
def dry_run(world):
    write(world)
    world.file("stack/db/01.sql", "1")
    nothing = picture(world)
    world.ctl("up", "--dry-run").expect(10, "create db: it is not there", "run before_up[0]", "start api: it does not run")
    equal(picture(world), nothing, "after a dry run of a stack that is not known")
    world.ctl("up").expect(0)

    world.ctl("up", "--dry-run").expect(0, "nothing to do", "skip after_up[1]: run: once")
    world.file("stack/db/02.sql", "2")
    write(world, level="2", sleep="1001")
    before = picture(world)
    said = world.ctl("up", "--dry-run").expect(
        10, "recreate db: environment.LEVEL changed (takes along web)", "restart web: it restarts with db",
        "restart api: cmd changed", "run after_up[0]: inputs changed: db/02.sql", "skip after_up[1]: run: once")
    check("create" not in said.out.replace("recreate", ""), "nothing is new")
    values = world.ctl("diff").expect(10, "environment.LEVEL", "- 1", "+ 2", "- exec sleep 1000", "+ exec sleep 1001")
    check("nothing to do" not in values.out, str(values))
    plan = world.ctl("--json", "up", "--dry-run").expect(10).json()
    equal(picture(world), before, "after a dry run")

    ids = {c["Names"][0]: c["Id"] for c in world.engine.containers(world.project)}
    world.ctl("up").expect(0)
    now = {c["Names"][0]: c["Id"] for c in world.engine.containers(world.project)}
    anew = {name.rsplit("-", 2)[1] for name in now if now[name] != ids[name]}
    equal(anew, {a["service"] for a in plan["actions"] if a["action"] == "recreate"}, "containers that are new")
    operation = world.daemon.get(f"/v1/operations/{world.ended('up')['id']}")
    steps = [s["key"] for s in operation["steps"]][1:]
    # What it kept until it had worked (X34) goes then: those steps are planned at its end.
    steps = steps[:steps.index("finish up") + 1]
    equal(steps, plan["steps"], "steps")
    equal(world.lines("stack/t/trace")[3:], ["before", "changed"], "hooks")


@scenario("restart and down can be asked beforehand, by the API too")
def other_wishes(world):
    write(world)
    world.ctl("up").expect(0)
    before = picture(world)
    restart = world.ctl("--json", "restart", "db", "--dry-run").expect(10).json()
    equal(actions(restart), ["restart db", "restart web", "run web post_start[0]"], "restart")
    down = world.ctl("--json", "down", "--dry-run").expect(10).json()
    equal(actions(down), ["stop api", "remove web-1", "remove db-1", "remove network default"], "down")
    stack = world.status()["id"]
    status, plan = request(world.daemon.socket, "POST", "/v1/plan", {"stack": stack, "stop": {"services": ["web"]}})
    equal((status, actions(plan)), (200, ["stop web-1"]), "stop")
    status, problem = request(world.daemon.socket, "POST", "/v1/plan", {"stack": stack})
    equal((status, problem["code"]), (400, "invalid-request"), "no wish")
    equal(picture(world), before, "after asking")
    world.ctl("down").expect(0)
    world.ctl("down", "--dry-run").expect(0, "nothing to do")


@scenario("diff does not show what a secret holds")
def secrets(world):
    file = f"services: {{a: {{{BOX}, environment: {{KEY: @KEY@, TOKEN: '${{STACK_TOKEN}}'}}}}}}\nenv_from: [{{cmd: echo STACK_TOKEN=hidden-value}}]\n"
    world.stack(file.replace("@KEY@", "one"))
    world.ctl("up", environment={"STACK_TOKEN": "from-shell"}).expect(0)
    world.stack(file.replace("@KEY@", "hidden-value"))
    said = world.ctl("diff", environment={"STACK_TOKEN": "from-shell"}).expect(10, "environment.KEY", "***", "env_from are not run")
    check("hidden-value" not in said.text, str(said))
