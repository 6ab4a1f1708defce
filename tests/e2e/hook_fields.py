"""The fields of a hook entry (design.md, the table), one after another, wherever an entry may run."""

import json
import os
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

BOX = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


def states(world, phase):
    return [(run["index"], run["state"]) for run in world.hooks() if run["phase"] == phase]


@scenario("run: changed runs again when an input, the text or the image differs from the last success, else not")
def changed(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle:
  before_up:
    - {cmd: "cat src/a/in >> t/trace; test ! -e t/bad", run: changed, inputs: ["src/**/in", "lock"]}
""")
    world.file("stack/src/a/in", "one\n")

    def up(code=0):
        world.ctl("up").expect(code)
        world.ctl("down").expect(0)
        return world.lines("stack/t/trace")
    equal(up(), ["one"], "the first time")
    equal(up(), ["one"], "nothing has changed")
    skipped = [run for run in world.hooks() if run["state"] == "skipped"]
    check(skipped and "changed" in skipped[-1]["reason"], f"recorded as skipped, with the reason: {skipped}")
    world.file("stack/src/a/in", "two\n")
    equal(up(), ["one", "two"], "an input has changed")
    world.file("stack/src/a/in", "one\n")
    equal(up(), ["one", "two", "one"], "back to what it was before: not as at the last success")
    world.file("stack/lock", "")
    equal(len(up()), 4, "a new input")
    world.file("stack/src/b/in", "new\n")
    world.file("stack/t/bad", "")
    equal(len(up(1)), 5, "one that fails")
    os.unlink(world.path("stack/t/bad"))
    equal(len(up()), 6, "what failed runs again")
    equal(len(up()), 6, "and then not any more")


@scenario("run: once is known by what it does: another entry before it changes nothing")
def once(world):
    entry = "{cmd: echo %s >> t/trace, run: once}"
    for hooks in (["a"], ["b", "a"], ["a"], ["b", "a"]):
        world.stack("owned: {p: {cmd: exec sleep 1000}}\nlifecycle: {before_up: [%s]}\n"
                    % ", ".join(entry % hook for hook in hooks))
        world.ctl("up").expect(0)
        world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["a", "b"], "each ran once")


@scenario("run_in: a stack's hook runs in a service, on the host, or in a new container on the stack's network")
def places(world):
    world.stack(f"""
env: {{SHARED: from the file}}
services:
  box: {BOX}, volumes: ["./t:/t"], environment: {{INSIDE: box}}}}
owned: {{p: {{cmd: exec sleep 1000}}}}
lifecycle:
  before_up:
    - {{cmd: 'echo "image $SHARED $STACKD_PHASE"; test ! -e t', run_in: {{image: "{IMAGE}"}}}}
    - echo host >> t/trace
  after_up:
    - {{cmd: 'echo "$INSIDE $STACKD_SERVICE.$STACKD_PHASE.$STACKD_INDEX.$STACKD_REASON $OWN" >> /t/trace', run_in: box, env: {{OWN: own}}}}
    - {{cmd: ping -c 1 -w 5 box, run_in: {{image: "{IMAGE}"}}}}
  before_down:
    - {{cmd: echo down >> /t/trace, run_in: box}}
  after_down:
    - {{cmd: echo gone >> /t/trace, run_in: box}}
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["host", "box .after_up.0.up own"], "what ran where")
    equal([run["place"] for run in world.hooks()], ["container", "host", "exec", "container"], "places")
    with open(world.hooks()[0]["log"], encoding="utf-8") as log:
        equal(log.read(), "image from the file before_up\n", "the log of the one in an image")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace")[2:], ["down"], "on the way down")
    equal(states(world, "after_down"), [(0, "skipped")], "a service that is gone has no place for a hook")
    world.nothing_left()


@scenario("run_in: the down hooks of a service whose container is made anew run where they say, too")
def places_of_recreate(world):
    text = f"""
services:
  helper: {BOX}, volumes: ["./t:/t"], environment: {{INSIDE: helper}}}}
  box: {BOX}, volumes: ["./t:/t"], environment: {{INSIDE: box, EDITION: "1"}}, depends_on: [helper],
        lifecycle: {{before_down: [{{cmd: 'echo "before_down $INSIDE $STACKD_REASON" >> /t/trace', run_in: helper}},
                                   {{cmd: echo never, run_in: gone}}]}},
        pre_stop: [{{command: ['sh', '-c', 'echo "pre_stop $$INSIDE" >> /t/trace'], run_in: helper}},
                   {{command: ['sh', '-c', 'echo "pre_stop $$INSIDE" >> /t/trace']}}]}}
  gone: {BOX}, scale: 0}}
"""
    world.stack(text)
    world.ctl("up").expect(0)
    world.stack(text.replace('EDITION: "1"', 'EDITION: "2"'))
    world.ctl("up").expect(0)
    expected = ["before_down helper recreate", "pre_stop helper", "pre_stop box"]
    equal(world.lines("stack/t/trace"), expected, "what ran where")
    equal(states(world, "before_down"), [(0, "succeeded"), (1, "skipped")], "the records")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace")[3:], [expected[0].replace("recreate", "down")] + expected[1:], "on the way down")
    world.nothing_left()


@scenario("run_in: a service that does not run, and an image that cannot be had, fail the hook by its own policy")
def no_place(world):
    world.stack(f"""
services:
  box: {BOX}}}
lifecycle:
  before_up:
    - {{cmd: "true", run_in: box, on_failure: warn}}
    - {{cmd: "true", run_in: {{image: "no.such.registry.invalid/x:1"}}, on_failure: ignore}}
    - {{cmd: "true", run_in: box}}
""")
    world.ctl("up").expect(1, "before_up[0]", "before_up[2]", "it is not running")
    equal(states(world, "before_up"), [(0, "failed"), (1, "failed"), (2, "failed")], "recorded")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X8: STACKD_REASON says why a container is stopped, on every path that the daemon drives")
def reasons(world):
    def stack(text, more=""):
        world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    environment: {{TEXT: "{text}"}}
    volumes: ["./t:/t"]
    pre_stop: [{{command: 'sh -c "echo $$STACKD_REASON >> /t/trace"'}}]
{more}""")
    stack("one")
    world.ctl("up").expect(0)
    stack("two")
    world.ctl("up").expect(0)
    world.ctl("up", "--scale", "box=2").expect(0)
    world.ctl("up", "--scale", "box=1").expect(0)
    world.ctl("restart", "box").expect(0)
    world.ctl("stop").expect(0)
    world.ctl("start").expect(0)
    world.ctl("down").expect(0)
    stack("three", f"  bad: {BOX}, depends_on: [box], post_start: [{{command: 'false'}}]}}\n")
    world.ctl("up").expect(1)
    trace = world.lines("stack/t/trace")
    equal(trace, ["recreate", "scale-down", "restart", "stop", "down", "rollback"], "the reasons")


@scenario("if: profile, os, env and previous all must hold; what is skipped says why")
def conditions(world):
    world.stack("""
profiles: {dev: {default: true}, ci: {}}
env: {MODE: fast, GONE: null}
owned: {p: {cmd: exec sleep 1000}}
lifecycle:
  before_up:
    - {cmd: echo dev >> t/trace, if: {profile: dev}}
    - {cmd: echo ci >> t/trace, if: {profile: [ci, other]}}
    - {cmd: echo linux >> t/trace, if: {os: linux}}
    - {cmd: echo mac >> t/trace, if: {os: darwin}}
    - {cmd: echo fast >> t/trace, if: {env: MODE=fast}}
    - {cmd: echo gone >> t/trace, if: {env: "!GONE"}}
    - {cmd: echo both >> t/trace, if: {env: [MODE, GONE]}}
    - {cmd: echo after-failure >> t/trace, if: {previous: failed}}
    - test ! -e t/bad
""")
    world.file("stack/t/bad", "")
    world.ctl("up", environment={"GONE": "x"}).expect(1)
    equal(world.lines("stack/t/trace"), ["dev", "linux", "fast", "gone"], "the first up")
    reasons = {run["index"]: run["reason"] for run in world.hooks() if run["state"] == "skipped"}
    equal(sorted(reasons), [1, 3, 6, 7], "skipped entries")
    for index, word in ((1, "profile"), (3, "os"), (6, "GONE"), (7, "previous")):
        check(word in reasons[index], f"the reason of entry {index}: {reasons[index]}")
    os.unlink(world.path("stack/t/bad"))
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace")[4:], ["dev", "linux", "fast", "gone", "after-failure"], "the up after a failed one")


@scenario("if: profile and STACKD_PROFILE are Compose's profiles where a file has those")
def compose_profiles(world):
    world.stack(f"""
services:
  box: {BOX}}}
  more: {BOX}, profiles: [debug]}}
x-stackd:
  lifecycle:
    before_up:
      - echo "profile=$STACKD_PROFILE" >> t/trace
      - {{cmd: echo debugging >> t/trace, if: {{profile: debug}}}}
""", name="compose.yaml")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["profile="], "without a profile")
    world.ctl("up", "--profile", "debug,none-of-this-file").expect(0)
    equal(world.lines("stack/t/trace")[1:], ["profile=debug", "debugging"], "with one")
    equal(world.status()["profile"], "debug", "the stack's profile")


@scenario("STACKD_CONTEXT: services, ports, containers and the previous result, as JSON; LICH_ names beside STACKD_")
def context_file(world):
    world.stack(f"""
services:
  box: {BOX}, ports: ["80"]}}
profiles: {{dev: {{default: true}}}}
owned: {{p: {{cmd: exec sleep 1000, port: {{env: PORT}}}}}}
lifecycle:
  before_up: ["test -e t/go"]
  after_up:
    - cat "$STACKD_CONTEXT" > t/context
    - echo "$STACKD_STACK_ID $LICH_STACK_ID $STACKD_PROFILE $LICH_PROFILE $LICH_WORKTREE $STACKD_OPERATION" > t/names
""")
    world.ctl("up").expect(1)
    world.file("stack/t/go", "")
    world.ctl("up").expect(0)
    context = json.loads(world.read("stack/t/context"))
    services = world.services()
    equal(context["services"]["p"]["kind"], "process", "kind")
    equal(list(context["services"]["p"]["ports"].values()), [services["p"]["ports"][0]["host_port"]], "a process's port")
    equal(list(context["ports"]["box"].values()), [services["box"]["ports"][0]["host_port"]], "a container's port")
    equal([c["id"] for c in context["services"]["box"]["containers"]], [services["box"]["container"]], "containers")
    equal(context["containers"]["box"][0]["state"], "running", "a container's state")
    equal(context["previous"]["state"], "failed", "the previous result")
    status = world.status()
    equal(world.read("stack/t/names").split(),
          [status["id"], status["id"], "dev", "dev", "stack", status["last_operation"]["id"]], "names")


@scenario("L9.3, L9.4, L9.5: hook logs: <phase>-<idx>.log and <service>.<phase>-<idx>.log; stderr's tail is shown though a hook succeeds")
def log_names(world):
    world.stack(f"""
services:
  box: {BOX}, post_start: [{{command: echo started}}], pre_start: [{{command: echo init}}], lifecycle: {{before_start: [echo before]}}}}
owned: {{p: {{cmd: exec sleep 1000, lifecycle: {{after_ready: ["echo ready; echo qui''etly >&2 || true"]}}}}}}
lifecycle:
  before_up: ["echo zero", ["echo one", "echo two"]]
""")
    up = world.ctl("up").expect(0)
    # The command, which is shown too, has the word in two parts.
    check("quietly" in up.text, f"{up}: the tail of stderr is shown")
    directory = world.path("home", "stacks", world.status()["id"], "hooks")
    found = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), encoding="utf-8") as log:
            found[name] = log.read()
    equal(found, {"before_up-0.log": "zero\n", "before_up-1.log": "one\n", "before_up-2.log": "two\n",
                  "box.before_start-0.log": "before\n", "box.pre_start-0.log": "init\n",
                  "box.post_start-0.log": "started\n", "p.after_ready-0.log": "ready\nquietly\n"}, "the logs")
    world.ctl("logs", "before_up").expect(0, "zero", "one", "two")
    check("zero" not in world.ctl("logs", "p.after_ready").expect(0, "quietly").text, "only the hook that was named")


@scenario("The entries of a group run at the same time, and the entry after them waits for all")
def group(world):
    world.stack("""
owned: {p: {cmd: exec sleep 1000}}
lifecycle:
  before_up:
    - - "touch t/a; until test -e t/b; do sleep 0.02; done; echo a >> t/trace"
      - "touch t/b; until test -e t/a; do sleep 0.02; done; echo b >> t/trace"
    - echo after >> t/trace
""")
    world.ctl("up", limit=30).expect(0)
    trace = world.lines("stack/t/trace")
    equal((sorted(trace[:2]), trace[2:]), (["a", "b"], ["after"]), "the order")


@scenario("retry_delay doubles; on the way down a hook has 60 s, or its own timeout, and teardown ends")
def retries_and_limits(world):
    world.stack("""
owned: {p: {cmd: exec sleep 1000}}
lifecycle:
  before_up: [{cmd: "date +%s%N >> t/times; exit 1", retries: 3, retry_delay: 200ms, on_failure: warn}]
  before_down: [{cmd: "sleep 984", timeout: 300ms}, echo next >> t/trace]
""")
    world.ctl("up").expect(0, "before_up[0]")
    times = [int(line) / 1e9 for line in world.lines("stack/t/times")]
    gaps = [after - before for before, after in zip(times, times[1:])]
    equal(len(gaps), 3, "tries after the first")
    check(gaps[0] >= 0.2 and gaps[1] >= 0.4 and gaps[2] >= 0.8, f"the pauses: {gaps}")
    equal([run["attempt"] for run in world.hooks()], [1, 2, 3, 4], "each try has its record")
    world.ctl("down", limit=30).expect(0, "before_down[0] was out of time")
    equal(world.lines("stack/t/trace"), ["next"], "the entry after the one that hung")
    world.nothing_left()


@scenario("up --timeout: it is kept though the daemon dies, and says what was waited for")
def timeout_and_crash(world):
    world.stack("""
owned: {p: {cmd: exec sleep 1000}}
lifecycle: {after_up: ["touch t/began; sleep 982"]}
""")
    started = time.monotonic()
    client = world.spawn("up", "--timeout", "4s")
    wait_until(lambda: os.path.exists(world.path("stack/t/began")), "the hook to begin")
    world.daemon.kill()
    world.daemon.start()
    result = world.end_of(client, limit=40)
    check(time.monotonic() - started >= 4, "it has its time")
    equal(result.code, 1, f"exit code of {result}")
    check("out of time" in result.text and "after_up[0]" in result.text, f"{result}: says what was waited for")
    world.nothing_left()
    operation = world.daemon.get("/v1/operations")["operations"][0]
    equal((operation["state"], operation["error"]["code"]), ("failed", "timed-out"), "the operation")


@scenario("L5.10: nuke takes every stack down, without hooks but with stop_cmd")
def nuke(world):
    world.stack(f"""
services: {{box: {BOX}, pre_stop: [{{command: touch /t/stopped}}], volumes: ["./t:/t"]}}}}
owned: {{once: {{cmd: "true", oneshot: true, stop_cmd: touch t/undone}}}}
lifecycle: {{before_down: ["touch t/before"], after_down: ["touch t/after"]}}
""")
    for command in (["nuke"], ["nuke", "-y"]):  # only somebody at a terminal is asked
        world.ctl("up").expect(0)
        world.ctl(*command, project=False).expect(0)
        equal(os.listdir(world.path("stack/t")), ["undone"], "what ran")
        equal(world.status()["status"], "down", "status")
        world.nothing_left()
        os.unlink(world.path("stack/t/undone"))


@scenario("init writes a stackd.yaml that is valid, and overwrites nothing")
def init(world):
    os.makedirs(world.path("fresh"))
    world.ctl("init", directory="fresh", project=False).expect(0, "stackd.yaml")
    world.ctl("validate", directory="fresh", project=False).expect(0)
    world.ctl("init", directory="fresh", project=False).expect(2, "stackd.yaml")
    world.ctl("init", "-f", "other.yaml", directory="fresh", project=False).expect(0)
    check(os.path.exists(world.path("fresh/other.yaml")), "the file that -f names")
