"""Part Y: the one phase order, seen from outside."""

import os
import shutil
import urllib.request

from harness import IMAGE, ROOT, check, equal
from scenarios import scenario


def fetch(service, path):
    url = f"http://127.0.0.1:{service['ports'][0]['host_port']}{path}"
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def before(trace, first, then):
    check(first in trace, f"{first!r} is not in {trace}")
    check(then in trace, f"{then!r} is not in {trace}")
    check(trace.index(first) < trace.index(then), f"{first!r} must come before {then!r} in {trace}")


@scenario("Y, L5.1, X11: the sample stack runs a hook of every phase, each once, in the one order")
def sample(world):
    shutil.copytree(os.path.join(ROOT, "config/sample"), world.path("stack"),
                    ignore=shutil.ignore_patterns("work", "busybox"))
    world.ctl("up").expect(0)
    up = world.lines("stack/work/trace.log")
    pre_run = "pre_run web, in an image built by user 1001"
    equal(sorted(up), sorted(["before_up", "before_start store", "post_start store", "after_ready store", "pre_start web",
                              pre_run, "before_start api", "after_ready api", "after_up"]), "what ran on the way up")
    equal(up[0], "before_up", "first")
    equal(up[-1], "after_up", "last")
    before(up, "before_start store", "post_start store")
    before(up, "post_start store", "after_ready store")
    before(up, "after_ready store", "pre_start web")
    before(up, "pre_start web", pre_run)
    before(up, "before_start api", "after_ready api")

    services = world.services()
    records = fetch(services["api"], "/cgi-bin/records").split()
    equal(records[-3:], ["apple", "pear", "plum"], "the seed, asked through api")
    check("The sample is up" in fetch(services["web"], "/index.html"), "the page that pre_start wrote")

    world.ctl("down", "--rmi", "local").expect(0)
    down = world.lines("stack/work/trace.log")[len(up):]
    equal(sorted(down), sorted(["before_down", "before_down store", "before_down api", "pre_stop store", "after_down"]),
          "what ran on the way down")
    equal(down[0], "before_down", "first on the way down")
    equal(down[-1], "after_down", "last on the way down")
    before(down, "before_down store", "pre_stop store")
    before(down, "before_down api", "pre_stop store")
    equal(world.read("stack/work/dump.txt").split()[-3:], ["apple", "pear", "plum"], "the dump of before_down")

    phases = [run["phase"] for run in world.hooks()]
    for phase in ("post_build_root", "post_build", "before_up", "before_start", "pre_start", "pre_run", "post_start",
                  "after_ready", "after_up", "before_down", "pre_stop", "after_down"):
        check(phase in phases, f"{phase} is not among the recorded hook runs: {phases}")
    equal(world.engine.images(world.project), [], "images of the stack after down --rmi local")
    world.nothing_left(volumes=False)
    flushed = world.engine.run(world.project, ["cat", "/v/records"], world.project + "_records")
    equal(flushed.split(), ["apple", "pear", "plum"], "what pre_stop flushed to the volume")


@scenario("Y, L2.2, T23: dependents wait for the readiness and the after_ready of what they need")
def after_ready_gates(world):
    world.stack(f"""
services:
  first:
    image: {IMAGE}
    init: true
    command: sh -c 'sleep 0.3; touch /tmp/fit; sleep infinity'
    healthcheck: {{test: "test -e /tmp/fit", interval: 60s, retries: 3}}
    lifecycle: {{after_ready: ["sleep 0.5; echo first-ready >> t/trace"]}}
  second:
    image: {IMAGE}
    init: true
    command: sleep infinity
    depends_on: {{first: {{condition: service_healthy}}}}
    lifecycle: {{before_start: ["echo second-begins >> t/trace"]}}
""")
    world.ctl("up", limit=40).expect(0)
    equal(world.lines("stack/t/trace"), ["first-ready", "second-begins"], "the order")


@scenario("X33, L1.4, L2.1: a process without depends_on starts after the containers; with [] at once; by name when ready")
def processes_and_containers(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    post_start:
      - command: ["sh", "-c", "sleep 0.7; echo box-started >> /t/trace"]
    volumes: ["./t:/t"]
owned:
  plain: {{cmd: exec sleep 1000, lifecycle: {{before_start: ["echo plain >> t/trace"]}}}}
  eager: {{cmd: exec sleep 1000, depends_on: [], lifecycle: {{before_start: ["echo eager >> t/trace"]}}}}
  named: {{cmd: exec sleep 1000, depends_on: [plain], lifecycle: {{before_start: ["echo named >> t/trace"]}}}}
""")
    world.ctl("up").expect(0)
    trace = world.lines("stack/t/trace")
    before(trace, "eager", "box-started")
    before(trace, "box-started", "plain")
    before(trace, "plain", "named")


@scenario("Y: stack hooks get the stack's names, ports and outcome by variables and the context file")
def context(world):
    world.stack("""
owned:
  api: {cmd: "exec busybox httpd -f -p 127.0.0.1:$PORT -h .", port: {env: PORT}, ready_when: {tcp: "${owned.api.port}"}}
lifecycle:
  after_up:
    - echo "$STACKD_STACK $STACKD_PHASE $STACKD_INDEX ${owned.api.port} $PORT" > t/vars
    - cat "$STACKD_CONTEXT" > t/context
  after_down: ['echo "$STACKD_PHASE $STACKD_REASON" > t/down']
""")
    world.ctl("up").expect(0)
    name, phase, index, reference, variable = world.read("stack/t/vars").split()
    equal((name, phase, index), (world.project, "after_up", "0"), "the hook's variables")
    equal(reference, variable, "the port by reference and by variable")
    port = world.services()["api"]["ports"][0]["host_port"]
    equal(int(reference), port, "the port of the hook and of status")
    check(f"{port}" in world.read("stack/t/context"), "the context file has the port")
    world.ctl("down").expect(0)
    check(world.read("stack/t/down").startswith("after_down"), "after_down's variables")
