"""Rules of part L (and X) of semantics.md that no other file looks at, each with its number."""

import json
import os
import re
import stat

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

BOX = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


@scenario("C6.4, X29: up returns when every service is ready and after_up is done; with --detach at once, with the operation")
def what_up_waits_for(world):
    world.stack(f"""
services:
  box: {BOX}, volumes: ["./t:/t"], healthcheck: {{test: [CMD, test, -e, /t/go], interval: 200ms, retries: 100}}}}
owned: {{p: {{cmd: exec sleep 1000, depends_on: [], ready_when: {{cmd: test -e t/go}}}}}}
lifecycle: {{after_up: [sleep 0.5; echo done >> t/trace]}}
""")
    detached = world.ctl("--json", "up", "--detach").expect(0).json()
    equal(detached["state"], "running", "the operation of --detach")
    up = world.spawn("up")  # joins it
    wait_until(lambda: len(world.engine.running(world.project)) == 1, "the container")
    check(up.poll() is None and not world.lines("stack/t/trace"), "up ended, or after_up ran, before anything was ready")
    world.file("stack/t/go", "")
    world.end_of(up).expect(0)
    equal(world.lines("stack/t/trace"), ["done"], "after_up when up has ended")
    equal({s["status"] for s in world.services().values()}, {"ready"}, "the services")


@scenario("L3.3, X10: a container's healthcheck gates what depends on it in a lich.yaml, without any condition")
def health_gates(world):
    world.stack(f"""
version: "1"
services:
  db: {{image: "{IMAGE}", volumes: ["./t:/t"], healthcheck: {{test: [CMD, test, -e, /t/go], interval: 200ms, retries: 100}}}}
owned: {{api: {{cmd: touch t/api; exec sleep 1000, depends_on: [db]}}}}
""", name="lich.yaml")
    world.file("stack/docker-compose.yml", f"services: {{db: {{image: '{IMAGE}', command: sleep infinity, init: true}}}}\n")
    text = world.read("stack/lich.yaml").replace("db: {image", "db: {compose_file: docker-compose.yml, service: db, image")
    world.file("stack/lich.yaml", text)
    up = world.spawn("up")
    wait_until(lambda: len(world.engine.running(world.project)) == 1 or up.poll() is not None, "the container")
    wait_until(lambda: world.services()["db"]["status"] == "starting" or up.poll() is not None, "db, which is not healthy yet")
    check(not os.path.exists(world.path("stack/t/api")), "api was started before db was healthy")
    world.file("stack/t/go", "")
    world.end_of(up).expect(0)
    check(os.path.exists(world.path("stack/t/api")), "api was started")


@scenario("L3.2, L3.8: a lich.yaml's container gets the file's environment, not the caller's; what was captured is known to dependents and to after_ready")
def what_they_see(world):
    world.stack(f"""
version: "1"
env: {{TOP: "1", HOST: "${{worktree.id}}"}}
services:
  db: {{compose_file: docker-compose.yml, service: db, environment: {{OWN: x}}}}
owned:
  a:
    cmd: "echo at http://x/; exec sleep 1000"
    ready_when: {{log_match: "at (.*)", capture: {{u: "at (.*)"}}}}
    lifecycle: {{after_ready: ["echo own ${{owned.a.captured.u}} >> t/trace"]}}
  b: {{cmd: "echo dependent ${{owned.a.captured.u}} >> t/trace; exec sleep 1000", depends_on: [a]}}
""", name="lich.yaml")
    world.file("stack/docker-compose.yml", f"services: {{db: {{image: '{IMAGE}', command: sleep infinity, init: true}}}}\n")
    world.ctl("up", environment={"CALLERS": "yes"}).expect(0)
    wait_until(lambda: len(world.lines("stack/t/trace")) == 2, "b's line")
    equal(world.lines("stack/t/trace"), ["own http://x/", "dependent http://x/"], "L3.8")
    variables = world.engine.inspect(world.engine.running(world.project, "db")[0]["Id"])["Config"]["Env"]
    check({"TOP=1", "OWN=x"} <= set(variables), f"L3.2: the file's variables: {variables}")
    check(not any(v.startswith(("CALLERS=", "STACKD_")) for v in variables), f"L3.2: the caller's variables: {variables}")


@scenario("L2.4: an up of a stack that is up does what a change of its file asks for, and else nothing")
def up_again(world):
    world.stack("version: '1'\nowned: {a: {cmd: exec sleep 1000}}\n", name="lich.yaml")
    world.ctl("up").expect(0)
    before = world.services()["a"]["pid"]
    world.ctl("up").expect(0, "nothing to do")
    equal(world.services()["a"]["pid"], before, "a's process")
    world.stack("version: '1'\nowned: {a: {cmd: exec sleep 1000}, b: {cmd: exec sleep 1001}}\n", name="lich.yaml")
    world.ctl("up").expect(0)
    equal((world.services()["a"]["pid"], world.services()["b"]["status"]), (before, "ready"), "a's process, and b")


@scenario("L4.2: with runtime.kill_others_on_fail: false what came up stays up when another service fails, until down")
def others_stay(world):
    world.stack(f"""
runtime: {{kill_others_on_fail: false}}
services: {{box: {BOX}}}}}
owned:
  good: {{cmd: exec sleep 1000, depends_on: []}}
  bad: {{cmd: exit 3, depends_on: [good, box]}}
  never: {{cmd: touch t/never, depends_on: [bad]}}
lifecycle: {{after_up: [echo after_up >> t/trace], before_down: [echo before_down >> t/trace]}}
""")
    world.ctl("up").expect(1, "bad", "exited with status 3")
    equal({name: s["status"] for name, s in world.services().items() if name in ("good", "box")},
          {"good": "ready", "box": "ready"}, "the others")
    equal(world.status()["status"], "failed", "the stack's status")
    check(not os.path.exists(world.path("stack/t/never")), "what depends on it was not started")
    equal(world.lines("stack/t/trace"), [], "after_up of an up that failed")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["before_down"], "X12: on down")
    world.nothing_left()


@scenario("L4.4: a service's failure says what it was: an exit, a signal, the time, fail_when's line, a capture that missed; with its last lines")
def kinds_of_failure(world):
    kinds = {
        "cmd: echo last words; exit 3, ready_when: {tcp: '1'}": ["exited with status 3", "last words"],
        "cmd: echo last words; kill -9 $$, ready_when: {tcp: '1'}": ["signal 9", "last words"],
        "cmd: echo last words; exec sleep 1000, ready_when: {tcp: '1', timeout: 400ms}": ["400", "last words"],
        "cmd: echo FATAL no; exec sleep 1000, ready_when: {tcp: '1'}, fail_when: {log_match: FATAL}": ["FATAL no"],
        "cmd: echo up; exec sleep 1000, ready_when: {log_match: up, capture: {url: 'at (.*)'}}": ["url"],
    }
    for keys, words in kinds.items():
        world.stack("owned: {bad: {" + keys + "}}\n")
        world.ctl("up", limit=30).expect(1, "bad", *words)
        last = world.status()["last_operation"]
        equal(last["state"], "failed", "the operation")
        kept = last["error"]["message"] + "\n".join(last["error"].get("details", []))
        check(words[0] in kept, f"{words[0]!r} is kept with the operation: {kept}")
    world.nothing_left()


@scenario("L9.2, L9.6: up phases stop at the first entry that fails, down phases warn and go on; each that ran has a record, another has none")
def first_failure(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle:
  before_up: [echo one >> t/trace, exit 4, echo three >> t/trace]
  before_down: [exit 5, echo later >> t/trace]
""")
    world.ctl("up").expect(1, "before_up[1]")
    equal(world.lines("stack/t/trace"), ["one"], "entries of before_up")
    equal([(r["index"], r["state"], r.get("exit_code")) for r in world.hooks()], [(0, "succeeded", 0), (1, "failed", 4)], "records")
    check("not run" not in world.ctl("hooks").expect(0).text and "echo three" not in world.ctl("hooks").text, "a third record")
    world.stack(world.read("stack/stackd.yaml").replace("exit 4, ", ""))
    world.ctl("up").expect(0)
    down = world.ctl("down").expect(0, "warning")
    check("before_down[0]" in down.text, f"{down}: which hook it was")
    equal(world.lines("stack/t/trace")[-1], "later", "the entry after the one that failed")
    world.stack("owned: {a: {cmd: exec sleep 1000}}\nlifecycle: {before_up: [{cmd: 'true', env_group: nowhere}]}\n")
    world.ctl("up").expect(2, "stackd.yaml:2:", "nowhere")


@scenario("L10.2: a stack's id is its directory's name and eight hex digits of its path; its files are nobody else's")
def ids(world):
    world.stack("owned: {a: {cmd: exec sleep 1000}}\n", directory="My App.x")
    world.ctl("up", directory="My App.x", project=False).expect(0)
    found = world.status(directory="My App.x", project=False)["id"]
    check(re.fullmatch(r"[a-z0-9_-]+-[0-9a-f]{8}", found), f"the id {found}")
    for path in (world.path("home"), world.path("home", "stacks", found)):
        equal(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, f"rights of others on {path}")
    world.ctl("down", directory="My App.x", project=False).expect(0)
    world.ctl("up", directory="My App.x", project=False).expect(0)
    equal(world.status(directory="My App.x", project=False)["id"], found, "the id the next time")
    world.ctl("down", directory="My App.x", project=False).expect(0)


@scenario("L10.5: up --json writes an event a line, of each hook its exit code, time, log and stderr's tail, and then the operation")
def json_lines(world):
    world.stack("owned: {a: {cmd: exec sleep 1000, lifecycle: {after_ready: [echo no >&2]}}}\n")
    lines = [json.loads(line) for line in world.ctl("--json", "up").expect(0).out.splitlines()]
    *events, operation = lines
    equal((operation["kind"], operation["state"]), ("up", "succeeded"), "the last line")
    check(operation["steps"] and all(step["state"] == "done" for step in operation["steps"]), "its steps")
    ended = [event["data"] for event in events if event["kind"] == "hook.ended"]
    equal([(run["phase"], run["service"], run["exit_code"], run["stderr_tail"]) for run in ended],
          [("after_ready", "a", 0, "no")], "the hook")
    check(ended[0]["duration_ms"] >= 0 and ended[0]["log"].endswith("/hooks/a.after_ready-0.log"), "its time and log")
    steps = [event["kind"] for event in events if event["kind"].startswith("step.")]
    equal(steps.count("step.started"), steps.count("step.ended"), "steps that began and ended")
    equal(events[-1]["kind"], "operation.ended", "the last event")


@scenario("T5: one service with pre_stop is stopped, then all are; the other one runs in between")
def stopped_twice(world):
    world.stack(f"""
services:
  box: {BOX}, volumes: ["./t:/t"], pre_stop: [{{command: sh -c 'echo bye >> /t/trace'}}]}}
  other: {BOX}}}
""")
    world.ctl("up").expect(0)
    world.ctl("stop", "box").expect(0)
    equal([c["State"] for c in world.engine.containers(world.project, "box")], ["exited"], "box")
    equal(len(world.engine.running(world.project, "other")), 1, "the other one")
    world.ctl("stop").expect(0)
    equal(len(world.engine.running(world.project)), 0, "what runs after the second stop")
    equal(world.lines("stack/t/trace"), ["bye"], "pre_stop")
