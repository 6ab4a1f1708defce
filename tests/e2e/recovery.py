"""What stackd does by itself: after the engine has started a container again (X30), after the engine was away (T32), and
when a process ends that has a `restart`."""

import os
import signal

from harness import IMAGE, check, equal, wait_until
from own_engine import own_engine
from scenarios import scenario

BOX = f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    restart: always
    volumes: ["./t:/t"]
    pre_start:
      - command: sh -c 'echo pre_start >> /t/trace'
    post_start:
      - command: sh -c 'echo post_start >> /t/trace; test ! -e /t/bad'
    lifecycle:
      before_start: ['echo before_start >> t/trace']
      after_ready: ['echo "after_ready $STACKD_REASON" >> t/trace']
lifecycle:
  after_up: ['echo after_up >> t/trace']
"""
UP = ["before_start", "pre_start", "post_start", "after_ready up", "after_up"]
AGAIN = ["post_start", "after_ready container-restart"]


def trace(world):
    return world.lines("stack/t/trace")


def kill_main_process(world, service="box"):
    container = world.engine.running(world.project, service)[0]["Id"]
    os.kill(world.engine.inspect(container)["State"]["Pid"], signal.SIGKILL)
    return container


def settled(world, count):
    """Waits until so many recoveries have ended; fails when there are more."""
    wait_until(lambda: len([o for o in world.operations("recover") if o["state"] != "running"]) >= count, f"{count} recoveries")
    equal(len(world.operations("recover")), count, "recoveries")


@scenario("C3.6, X30: a container that the engine restarts gets post_start and after_ready again, once, with records")
def restarted(world):
    world.stack(BOX)
    world.ctl("up").expect(0)
    equal(trace(world), UP, "what ran with up")
    equal(world.operations("recover"), [], "recoveries after up: its own starts are no news")
    kill_main_process(world)
    wait_until(lambda: len(trace(world)) >= len(UP + AGAIN), "the hooks to run again")
    settled(world, 1)
    equal(trace(world), UP + AGAIN, "what ran")
    runs = [run for run in world.hooks() if run["reason"] == "container-restart"]
    equal([(r["phase"], r["state"]) for r in runs], [("post_start", "succeeded"), ("after_ready", "succeeded")], "records")
    equal(world.status()["status"], "up", "status")
    world.ctl("up").expect(0)
    equal(trace(world), UP + AGAIN, "what ran after an up with nothing to do")


@scenario("X30: `docker stop` and `docker start` of a container past stackd run its hooks again")
def docker_start(world):
    world.stack(BOX.replace("    restart: always\n", ""))
    world.ctl("up").expect(0)
    box = world.engine.running(world.project, "box")[0]["Id"]
    world.engine.call("POST", f"/containers/{box}/stop?t=1")
    wait_until(lambda: world.status()["status"] == "degraded", "status degraded while it is stopped")
    world.engine.call("POST", f"/containers/{box}/start")
    settled(world, 1)
    equal(trace(world), UP + AGAIN, "what ran")
    equal(world.status()["status"], "up", "status")


@scenario("X30, X1: a post_start that fails after a restart by the engine is run again by the next up")
def failed_again(world):
    world.stack(BOX)
    world.ctl("up").expect(0)
    world.file("stack/t/bad", "")
    kill_main_process(world)
    settled(world, 1)
    equal(world.operations("recover")[0]["state"], "failed", "the recovery's state")
    equal(len(world.engine.running(world.project, "box")), 1, "the container runs on")
    os.unlink(world.path("stack/t/bad"))
    world.ctl("up").expect(0)
    equal(trace(world), UP + ["post_start", "post_start", "after_up"], "what ran")
    world.ctl("up").expect(0)
    equal(len(trace(world)), len(UP) + 3, "what ran after an up with nothing to do")


@scenario("X30: a restart while no daemon runs is noticed by the next one, and its hooks run once")
def restarted_meanwhile(world):
    world.stack(BOX)
    world.ctl("up").expect(0)
    world.daemon.kill()
    box = kill_main_process(world)
    wait_until(lambda: world.engine.inspect(box)["RestartCount"] == 1 and world.engine.running(world.project), "the engine")
    world.daemon.start()
    settled(world, 1)
    equal(trace(world), UP + AGAIN, "what ran")
    world.daemon.kill()
    world.daemon.start()
    equal(world.status()["status"], "up", "status")
    equal(trace(world), UP + AGAIN, "what ran after another daemon's start")


@scenario("X30: kill -9 of the daemon in the middle of it: the hooks still run once")
def killed_in_recovery(world):
    world.stack(BOX.replace("test ! -e /t/bad", "until [ ! -e /t/wait ]; do sleep 0.05; done"))
    world.ctl("up").expect(0)
    world.file("stack/t/wait", "")
    kill_main_process(world)
    wait_until(lambda: len(trace(world)) > len(UP), "the hook to begin")
    world.daemon.kill()
    os.unlink(world.path("stack/t/wait"))
    world.daemon.start()
    settled(world, 1)
    equal(trace(world), UP + AGAIN, "what ran")


@scenario("A wish is not refused because of a recovery: it is ended, its hook too, and what is owed is done")
def gives_way(world):
    world.stack(BOX.replace("test ! -e /t/bad", "until [ ! -e /t/wait ]; do sleep 0.05; done"))
    world.ctl("up").expect(0)
    world.file("stack/t/wait", "")
    kill_main_process(world)
    wait_until(lambda: len(trace(world)) > len(UP), "the hook to begin")
    client = world.spawn("up")
    wait_until(lambda: world.operations("recover")[0]["state"] == "cancelled", "the end of the recovery")
    os.unlink(world.path("stack/t/wait"))
    world.end_of(client).expect(0)
    equal(trace(world), UP + ["post_start", "post_start", "after_ready up", "after_up"], "what ran")
    world.ctl("down").expect(0)
    world.nothing_left()


TOGETHER = f"""
services:
  db: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity, stop_grace_period: 1s,
        healthcheck: {{test: ["CMD", "true"], interval: 60s}},
        lifecycle: {{before_start: ['echo "before db $STACKD_REASON" >> t/trace'], after_ready: ['echo "ready db" >> t/trace']}}}}
  web: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity, stop_grace_period: 1s,
         depends_on: {{db: {{condition: service_healthy}}}}, volumes: ["./t:/t"],
         post_start: [{{command: sh -c 'echo "post web" >> /t/trace'}}]}}
  policy: {{image: {IMAGE}, init: true, network_mode: none, command: sh -c 'echo started >> /t/policy; sleep infinity',
            restart: always, volumes: ["./t:/t"], stop_grace_period: 1s,
            post_start: [{{command: sh -c 'echo "post policy" >> /t/trace'}}]}}
  once: {{image: {IMAGE}, network_mode: none, command: sh -c 'echo once >> /t/once', volumes: ["./t:/t"]}}
owned: {{api: {{cmd: exec sleep 1000}}}}
"""


def engine_restarted(world, number):
    with own_engine(world) as engine:
        world.stack(TOGETHER)
        world.ctl("up").expect(0)
        before = trace(world)
        equal(sorted(before), ["before db up", "post policy", "post web", "ready db"], "what ran with up")
        api = world.services()["api"]["pid"]
        engine.stop(number)
        wait_until(lambda: world.status()["status"] == "degraded", "status degraded without an engine")
        engine.start()
        settled(world, 1)
        equal(world.operations("recover")[0]["state"], "succeeded", f"the recovery: {world.operations('recover')[0]}")
        after = trace(world)[len(before):]
        equal(sorted(after), ["before db engine-restart", "post policy", "post web", "ready db"], "what ran again")
        check(after.index("before db engine-restart") < after.index("ready db") < after.index("post web"), f"the order: {after}")
        equal(world.lines("stack/t/policy"), ["started"] * 2, "starts of the one that the engine restarts itself")
        equal(world.lines("stack/t/once"), ["once"], "a container that had ended before")
        equal(world.status()["status"], "up", "status")
        equal(world.services()["api"]["pid"], api, "the host process")
        world.ctl("down").expect(0)
        world.nothing_left()


@scenario("T32: the engine is restarted while the stack is up: it comes back in graph order, with its hooks", daemon=False)
def engine_stopped(world):
    engine_restarted(world, signal.SIGTERM)


@scenario("C11.6, T32: the engine is killed while the stack is up: it comes back in graph order, with its hooks", daemon=False)
def engine_killed(world):
    engine_restarted(world, signal.SIGKILL)


@scenario("A process that dies while its restart starts it again is waited for, within an up too: until it is ready, or its tries are used up; each start is one, whoever dies meanwhile")
def restarts_in_up(world):
    os.makedirs(world.path("stack/t"))
    text = """
owned:
  api:
    cmd: 'echo start >> t/starts; test $(wc -l < t/starts) -ge GOOD || { echo not yet; exit 3; }; echo go; exec sleep 1000'
    restart: on-failure:3
    READY
  web: {cmd: 'echo began >> t/web; exec sleep 1000', depends_on: [api]}
"""
    for ready in ("ready_when: {log_match: go}", ""):
        world.stack(text.replace("GOOD", "3").replace("READY", ready))
        world.ctl("up").expect(0)
        equal(len(world.lines("stack/t/starts")), 3, "starts")
        equal(world.services()["api"].get("restarts"), 2, "restarts")
        equal(world.services()["web"]["status"], "ready", "what depends on it")
        world.ctl("down").expect(0)
        world.file("stack/t/starts", "")
        world.file("stack/t/web", "")
        world.stack(text.replace("GOOD", "9").replace("READY", ready))
        world.ctl("up").expect(1, "service 'api'", "3", "not yet")
        equal(len(world.lines("stack/t/starts")), 4, "starts until it is given up")
        equal(world.lines("stack/t/web"), [], "what depends on it")
        world.nothing_left()
        world.file("stack/t/starts", "")
    world.stack(text.replace("GOOD", "3").replace("READY", "ready_when: {log_match: go}"))
    up = world.spawn("up")
    for start in (1, 2):
        wait_until(lambda: len(world.lines("stack/t/starts")) >= start, f"start {start}")
        world.daemon.kill()
        world.daemon.start()
    world.end_of(up).expect(0)
    equal(len(world.lines("stack/t/starts")), 3, "starts with two daemons that died")
    world.ctl("down").expect(0)
    world.nothing_left()


PROCESS = """
owned:
  api:
    cmd: echo start >> t/starts; test ! -e t/bad || exit 3; exec sleep 1000
    restart: POLICY
    lifecycle:
      before_start: ['echo "before_start $STACKD_REASON" >> t/trace']
      after_ready: ['echo "after_ready $STACKD_REASON" >> t/trace']
"""


def api(world):
    return world.services()["api"]


@scenario("restart: a process that ends is started again, with before_start and after_ready; down ends it for good")
def process_restarts(world):
    world.stack(PROCESS.replace("POLICY", "on-failure"))
    world.ctl("up").expect(0)
    first = api(world)["pid"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: api(world)["status"] == "ready" and api(world).get("pid") not in (None, first), "another process")
    equal(world.status()["status"], "up", "status")
    settled(world, 1)
    equal(trace(world), ["before_start up", "after_ready up", "before_start process-exit", "after_ready process-exit"], "hooks")
    world.ctl("stop", "api").expect(0)
    equal(world.lines("stack/t/starts"), ["start"] * 2, "starts")
    world.ctl("down").expect(0)
    equal(len(world.operations("recover")), 1, "recoveries after down")
    world.nothing_left()


@scenario("restart: the pauses grow, on-failure:N gives up after N, and status says why")
def process_gives_up(world):
    world.stack(PROCESS.replace("POLICY", "on-failure:3"))
    world.ctl("up").expect(0)
    world.file("stack/t/bad", "")
    os.kill(api(world)["pid"], signal.SIGKILL)
    wait_until(lambda: len(world.lines("stack/t/starts")) == 4, "three more starts")
    wait_until(lambda: api(world)["status"] == "exited", "the end of it")
    equal(api(world)["exit_code"], 3, "exit code")
    check("3" in api(world)["reason"], f"the reason: {api(world)}")
    equal(world.status()["status"], "degraded", "status")
    settled(world, 3)
    os.unlink(world.path("stack/t/bad"))
    world.ctl("up").expect(0)
    equal(world.status()["status"], "up", "status after another up")
    equal(len(world.lines("stack/t/starts")), 5, "starts")


@scenario("restart: a process that ended while no daemon ran is started again by the next one, once")
def process_restarts_meanwhile(world):
    world.stack(PROCESS.replace("POLICY", "always"))
    world.ctl("up").expect(0)
    world.daemon.kill()
    os.kill(api_pid(world), signal.SIGTERM)
    world.daemon.start()
    settled(world, 1)
    equal(world.lines("stack/t/starts"), ["start"] * 2, "starts")
    equal(api(world)["status"], "ready", "its status")
    world.ctl("down").expect(0)
    world.nothing_left()


def api_pid(world):
    return int(next(line for line in world.processes() if "sleep 1000" in line and "shim" not in line).split()[0])


@scenario("L3.9: a process without `restart` stays ended when it dies, and the stack is degraded")
def process_dies(world):
    world.stack(PROCESS.replace("POLICY", '"no"'))
    world.ctl("up").expect(0)
    os.kill(api(world)["pid"], signal.SIGKILL)
    wait_until(lambda: world.status()["status"] == "degraded", "status degraded")
    equal(api(world)["status"], "exited", "its status")
    equal(world.operations("recover"), [], "recoveries")


@scenario("restart: a process whose shim is killed is started again once, when its whole tree has gone; down leaves nothing")
def shim_killed(world):
    world.stack("""
owned:
  api:
    cmd: |
      echo start >> t/starts
      setsid sh -c 'trap "" TERM; while :; do sleep 1; done # grandchild' &
      (sh -c 'sleep 1000; : grandchild' &)
      exec sleep 1000
    restart: always
    stop_grace_period: 1s
  worker: {cmd: "sleep 1000 & sh -c 'sleep 1000; : grandchild' & wait"}
""")
    world.ctl("up").expect(0)
    tree = lambda: [line for line in world.processes() if line.split()[1] == "sh" and "grandchild" in line]
    wait_until(lambda: len(tree()) == 3, "the grandchildren")
    before = {line.split()[0] for line in world.processes()}
    for service in ("api", "worker"):
        with open(f"/proc/{world.services()[service]['pid']}/stat", encoding="utf-8") as stat:
            os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    settled(world, 1)
    equal(len(world.lines("stack/t/starts")), 2, "starts")
    wait_until(lambda: len(tree()) == 2, "one tree, of the second start")
    left = [line for line in world.processes() if line.split()[0] in before]
    check(not left, f"of the trees whose shims were killed: {left}")
    world.daemon.kill()
    with open(f"/proc/{api_pid(world)}/stat", encoding="utf-8") as stat:
        os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    world.daemon.start()
    settled(world, 2)
    wait_until(lambda: len(tree()) == 2, "one tree, of the third start")
    with open(f"/proc/{api_pid(world)}/stat", encoding="utf-8") as stat:
        os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    world.ctl("down").expect(0)
    world.nothing_left()
