"""What happens when a hook or a service fails: what is said, what is taken away, and what runs again."""

import os
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

BOX = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 2s"


@scenario("T20, L4.3: a before_up that fails starts nothing; exit code 1, and its down hooks still run on down (X12)")
def before_up_fails(world):
    world.stack(f"""
services: {{box: {BOX}}}}}
lifecycle:
  before_up: ["echo one >> t/trace", "echo no good >&2; exit 3", "echo three >> t/trace"]
  after_down: ["echo down >> t/trace"]
""")
    world.ctl("up").expect(1, "before_up", "3", "no good")
    equal(world.lines("stack/t/trace")[:1], ["one"], "entries before the failing one")
    check("three" not in world.read("stack/t/trace"), "the entry after the failing one did not run")
    equal(world.engine.containers(world.project), [], "containers")
    equal(world.status()["status"], "failed", "status")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace").count("down"), 1, "after_down")
    equal(world.status()["status"], "down", "status after down")


@scenario("T21, X13: an after_up that fails takes the stack away and keeps the volumes")
def after_up_fails(world):
    world.stack(f"""
services: {{box: {BOX}, volumes: ["data:/data"]}}}}
volumes: {{data: }}
owned: {{proc: {{cmd: exec sleep 1000}}}}
lifecycle: {{after_up: ["exit 1"]}}
""")
    world.ctl("up").expect(1, "after_up")
    world.nothing_left(volumes=False)
    equal(len(world.engine.volumes(world.project)), 1, "volumes that are kept")


@scenario("T22, L5.2, X27: a before_down that fails is a warning; the rest of down runs, exit code 0")
def before_down_fails(world):
    world.stack(f"""
services: {{box: {BOX}}}}}
lifecycle: {{before_down: ["exit 1", "echo second >> t/trace"], after_down: ["echo after >> t/trace"]}}
""")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0, "before_down")
    equal(world.lines("stack/t/trace"), ["second", "after"], "the hooks after the failing one")
    operation = world.daemon.get("/v1/operations")["operations"][0]
    check(operation["warnings"], f"the operation lists no warning: {operation}")
    world.nothing_left()


@scenario("T1, C2.11, X1: a post_start that is not found fails the up with Compose's words, and the container goes")
def post_start_fails(world):
    world.stack(f"services: {{box: {BOX}, post_start: [{{command: /no/such/command}}]}}}}\n")
    result = world.ctl("up").expect(1)
    check("box hook exited with status 12" in result.text, f"{result}: Compose's words are not there")
    world.nothing_left()


@scenario("C2.5: a post_start whose container has ended fails the up, which says how that ended, with its last words")
def post_start_in_a_dead_container(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, command: sh -c 'echo last words; exit 5', network_mode: none, post_start: [{{command: sh -c 'sleep 2; echo hi'}}]}}
""")
    world.ctl("up").expect(1, "box hook", "box-1 exited (5): last words")
    world.nothing_left()


@scenario("C3.8, T2, X1: with --keep the container stays, and the next up runs the failed hook again")
def keep_and_again(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    post_start:
      - command: sh -c 'echo try >> /t/trace; test -e /t/good'
""")
    world.ctl("up", "--keep").expect(1, "box hook exited with status 1")
    equal(len(world.engine.running(world.project, "box")), 1, "running containers after up --keep")
    first = world.engine.running(world.project, "box")[0]["Id"]
    world.file("stack/t/good", "")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["try", "try"], "runs of the hook")
    equal(world.engine.running(world.project, "box")[0]["Id"], first, "the container is the same one")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["try", "try"], "runs after an up with nothing to do")


@scenario("T7, T8, C4.8: a pre_start that fails is named by its index and code; its container is kept until down")
def pre_start_fails(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    pre_start:
      - command: sh -c 'echo first >> /t/trace'
      - command: sh -c 'echo sorry >&2; exit 17'
""")
    result = world.ctl("up", "--keep").expect(1, "pre_start[1]", "17", "sorry")
    equal(world.lines("stack/t/trace"), ["first"], "the effect of the entry before")
    states = {c["Labels"].get("com.docker.compose.hook", "service"): c for c in world.engine.containers(world.project)}
    equal(states["service"]["State"], "created", "state of the service's container")
    check("pre_start" in states, "the hook's container is kept")
    check(states["pre_start"]["Id"][:12] in result.text, f"{result}: does not name the kept container")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("T4, X7, C5.8: a pre_stop that fails lets down reach its end; exit code 1 and nothing left")
def pre_stop_fails(world):
    world.stack(f"services: {{box: {BOX}, pre_stop: [{{command: /no/such/command}}]}}, other: {BOX}}}}}\n")
    world.ctl("up").expect(0)
    world.ctl("down", "-t", "0").expect(1, "box hook exited with status 12")
    world.nothing_left()


@scenario("X7: on stop a failing pre_stop keeps its container running; the others are stopped; exit code 1")
def pre_stop_vetoes_stop(world):
    world.stack(f"""
services:
  box: {BOX}, pre_stop: [{{command: "false"}}]}}
  soft: {BOX}, pre_stop: [{{command: "false", on_failure: warn}}]}}
""")
    world.ctl("up").expect(0)
    world.ctl("stop", "-t", "1").expect(1, "box hook exited with status 1")
    equal(len(world.engine.running(world.project, "box")), 1, "the container whose hook said no")
    equal(len(world.engine.running(world.project, "soft")), 0, "the container whose hook only warns")


@scenario("X7, X32: a restart that a pre_stop forbids leaves its container running, and starts again what it has stopped")
def forbidden_restart(world):
    world.stack(f"""
services:
  box: {BOX}, pre_stop: [{{command: sh -c 'echo no >&2; exit 4'}}]}}
  web: {BOX}, depends_on: [box], volumes: ["./t:/t"], post_start: [{{command: sh -c 'echo web >> /t/trace'}}]}}
lifecycle: {{after_up: [echo after_up >> t/trace]}}
""")
    world.ctl("up").expect(0)
    before = world.engine.inspect(world.engine.running(world.project, "box")[0]["Id"])["State"]["StartedAt"]
    world.ctl("restart").expect(1, "box hook exited with status 4: no")
    equal({name: service["status"] for name, service in world.services().items()}, {"box": "ready", "web": "ready"}, "the services")
    equal(world.engine.inspect(world.engine.running(world.project, "box")[0]["Id"])["State"]["StartedAt"], before, "box's start")
    equal(world.lines("stack/t/trace"), ["web", "after_up", "web"], "the hooks")
    equal(world.status()["status"], "up", "the stack's status")


@scenario("X32: a failed up takes away what it started; what ran before and every volume stays")
def only_its_own(world):
    good = f"""
services:
  old: {BOX}, volumes: ["data:/data"]}}
volumes: {{data: }}
"""
    world.stack(good)
    world.ctl("up").expect(0)
    old = world.engine.running(world.project, "old")[0]["Id"]
    world.stack(good.replace("volumes: {data: }", f"""  fresh: {BOX}, depends_on: [old]}}
  bad: {BOX}, depends_on: [fresh], post_start: [{{command: "false"}}]}}
volumes: {{data: }}"""))
    world.ctl("up").expect(1, "bad hook exited with status 1")
    left = world.engine.containers(world.project)
    equal([c["Id"] for c in left], [old], "containers that are left")
    equal(left[0]["State"], "running", "the old container's state")
    equal(len(world.engine.volumes(world.project)), 1, "volumes")


@scenario("T29, L3.5: a process that ends while it should become ready fails the up, with its last lines")
def exit_while_starting(world):
    world.stack("""
owned:
  bad: {cmd: "echo about to go; exit 0", ready_when: {tcp: "127.0.0.1:1", timeout: 30s}}
""")
    world.ctl("up", limit=25).expect(1, "bad", "about to go")
    world.nothing_left()
    world.stack('owned: {bad: {cmd: "seq -f line-%g 40; exit 3"}}\n')
    result = world.ctl("up").expect(1, "status 3", "line-21\n", "line-40")
    check("line-20" not in result.text, f"L4.4: about twenty lines: {result}")


@scenario("L3.4: readiness that does not come in time fails the up and takes the process away")
def not_ready_in_time(world):
    world.stack('owned: {slow: {cmd: exec sleep 1000, ready_when: {tcp: "127.0.0.1:1", timeout: 700ms}}}\n')
    world.ctl("up", limit=25).expect(1, "slow", "700ms")
    world.nothing_left()


@scenario("L3.6: fail_when ends the wait at once")
def fail_when(world):
    world.stack("""
owned:
  bad:
    cmd: "echo 'panic: no luck'; exec sleep 1000"
    ready_when: {log_match: never, timeout: 60s}
    fail_when: {log_match: "panic: .*"}
""")
    world.ctl("up", limit=25).expect(1, "panic: no luck")
    world.nothing_left()


@scenario("C2.6, C5.9, X19: a hook's limit ends its whole process tree, on the host and in a container")
def hook_limits(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: [{cmd: "sleep 987 & sleep 986", timeout: 500ms}]}
""")
    world.ctl("up", limit=30).expect(1, "before_up[0] was out of time")
    world.nothing_left()
    world.stack(f"services: {{box: {BOX}, post_start: [{{command: sleep 985, timeout: 500ms, on_failure: warn}}]}}}}\n")
    world.ctl("up", limit=30).expect(0, "out of time")
    box = world.engine.running(world.project, "box")[0]["Id"]
    wait_until(lambda: not any("sleep 985" in " ".join(line) for line in
                               world.engine.call("GET", f"/containers/{box}/top")["Processes"]), "the exec's end")


@scenario("retries try again with growing pauses, and on_failure says what a failure means")
def policies(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle:
  before_up:
    - {cmd: "echo try >> t/tries; test $(wc -l < t/tries) -ge 3", retries: 3, retry_delay: 50ms}
    - {cmd: exit 4, on_failure: warn}
    - {cmd: exit 5, on_failure: ignore}
    - {cmd: echo once >> t/once, run: once}
    - {cmd: echo never >> t/never, if: {env: NOT_SET_ANYWHERE}}
    - [echo a >> t/group, echo b >> t/group]
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/tries"), ["try"] * 3, "tries")
    equal(sorted(world.lines("stack/t/group")), ["a", "b"], "the entries of a group")
    world.ctl("down").expect(0)
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/once"), ["once"], "run: once")
    check(not os.path.exists(world.path("stack/t/never")), "an entry whose `if` does not hold ran")
    skipped = [run for run in world.hooks() if run["state"] == "skipped"]
    check(len(skipped) >= 3 and all(run.get("reason") for run in skipped), f"skipped runs have reasons: {skipped}")


@scenario("T27: a hook that prints 3 MB is not held up; its log keeps about the newest 1 MB")
def noisy_hook(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["yes 123456789 | head -c 3000000; echo the-end; echo to-stderr >&2"]}
""")
    world.ctl("up", limit=60).expect(0, "to-stderr")
    run = world.hooks()[0]
    size = os.path.getsize(run["log"])
    check(800_000 <= size <= 1_100_000, f"the log has {size} bytes")
    with open(run["log"], encoding="utf-8") as log:
        check("the-end" in log.read()[-200:], "the newest part is kept")


@scenario("stop, start and restart go by the replicas that --scale made; a restart that fails stops what it has started")
def replicas(world):
    world.stack(f"""
services:
  web:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    post_start: [{{command: ["sh", "-c", "echo up >> /t/trace; test ! -e /t/bad"]}}]
""")
    names = {f"/{world.project}-web-{n}" for n in (1, 2, 3)}

    def running():
        return {c["Names"][0] for c in world.engine.running(world.project)}

    world.ctl("up", "--scale", "web=3").expect(0)
    world.ctl("restart", "-t", "0").expect(0)
    equal(running(), names, "after restart")
    world.ctl("stop", "-t", "0").expect(0)
    equal(running(), set(), "after stop")
    world.ctl("start").expect(0)
    equal(running(), names, "after start")
    world.ctl("restart", "-t", "0", "web").expect(0)
    equal(running(), names, "after restart of the service")
    equal(len(world.lines("stack/t/trace")), 12, "post_start of three replicas, four times")
    world.file("stack/t/bad", "")
    failed = world.ctl("restart", "-t", "0").expect(1, "web hook exited with status 1")
    check("cannot plan" not in failed.text, f"the roll-back was not planned: {failed}")
    equal(running(), set(), "after a restart that failed")
    world.ctl("down", "-t", "0").expect(0)
    world.nothing_left()


@scenario("L2.2, X28: what dies while others still become ready ends the up at once and is named first")
def early_death(world):
    box = BOX.replace("sleep infinity", "sh -c 'sleep 1; echo disk is full; exit 3'")
    cases = {
        "a process": ("owned: {db: {cmd: 'sleep 1; echo disk is full; exit 3'}, WEB}", "db", "3"),
        "a process that was ready": ("owned: {db: {cmd: 'echo go; sleep 1; echo disk is full; exit 3', ready_when: {log_match: go}}, WEB}", "db", "3"),
        "a container": (f"services: {{db: {box}}}}}\nowned: {{WEB}}", "db", "3"),
        "a container that its policy has given up": (f"services: {{db: {box}, restart: 'on-failure:1'}}}}\nowned: {{WEB}}", "db", "3"),
        "a process that its restart has given up": ("owned: {db: {cmd: 'sleep 0.5; echo disk is full; exit 3', restart: 'on-failure:1'}, WEB}", "db", "3"),
        "one killed by a signal": ("owned: {db: {cmd: 'sleep 1; echo disk is full; kill -9 $$'}, WEB}", "db", "signal 9"),
    }
    for what, (text, service, how) in cases.items():
        world.stack(text.replace("WEB", "web: {cmd: exec sleep 1000, ready_when: {log_match: never, timeout: 40s}}") + "\n")
        begun = time.monotonic()
        result = world.ctl("up").expect(1, f"service '{service}'", how, "disk is full")
        took = time.monotonic() - begun
        check(took < 12, f"{what}: the up took {took:.1f} s")
        check("'web' did not become ready" not in result.text, f"{what}: {result.text}")
        world.nothing_left()
        world.ctl("down").expect(0)


@scenario("L3.5: ready_when.settle says how long a service without a probe must be there; those who depend on it wait for that")
def own_settle(world):
    box = BOX.replace("sleep infinity", "sh -c 'sleep 0.6; echo too soon; exit 3'")
    for what, db in {"a process": "owned: {db: {cmd: 'sleep 0.6; echo too soon; exit 3', ready_when: {settle: SETTLE}}, WEB}",
                     "a container": f"services: {{db: {box}, ready_when: {{settle: SETTLE}}}}}}\nowned: {{WEB}}"}.items():
        text = db.replace("WEB", "web: {cmd: 'echo began >> t/trace; exec sleep 1000', depends_on: [db]}") + "\n"
        world.stack(text.replace("SETTLE", "2s"))
        begun = time.monotonic()
        world.ctl("up").expect(1, "db", "3", "too soon")
        check(time.monotonic() - begun < 10, f"{what}: it took {time.monotonic() - begun:.1f} s")
        equal(world.lines("stack/t/trace"), [], f"{what}: what depends on it")
        world.stack(text.replace("sleep 0.6; echo too soon; exit 3", "exec sleep 1000").replace("SETTLE", "1s"))
        begun = time.monotonic()
        world.ctl("up").expect(0)
        check(time.monotonic() - begun > 0.9, f"{what}: it was ready at once")
        world.ctl("down").expect(0)
        world.file("stack/t/trace", "")
