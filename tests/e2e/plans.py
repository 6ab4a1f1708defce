"""Files whose graph is an odd one: that it can be planned, and comes to its end, is seen in tests/unit/daemon/plan; here that
it does what it says."""

from harness import IMAGE, check, equal
from scenarios import scenario

BOX = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"
LIVES = "{cmd: exec sleep 1000"


@scenario("X33: two processes with a container behind each do not wait for each other in a circle, up or down")
def no_circle(world):
    world.stack(f"""
owned:
  p: {LIVES}, lifecycle: {{before_start: ['echo p >> t/trace']}}}}
  q: {LIVES}, lifecycle: {{before_start: ['echo q >> t/trace']}}}}
services:
  on-p: {BOX}, depends_on: [p], lifecycle: {{before_start: ['echo on-p >> t/trace']}}}}
  on-q: {BOX}, depends_on: [q], lifecycle: {{before_start: ['echo on-q >> t/trace']}}}}
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["q", "on-q", "p", "on-p"], "who began")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("A process may be called as another service's replica is")
def names(world):
    world.stack(f"services: {{web: {BOX}}}}}\nowned: {{web-1: {LIVES}}}}}\n")
    world.ctl("up").expect(0)
    equal({name: service["status"] for name, service in world.services().items()}, {"web": "ready", "web-1": "ready"}, "services")
    world.ctl("restart").expect(0)
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("X8: a process with restart: true is stopped and started again when its dependency is made anew")
def process_restarts(world):
    text = f"""
services:
  db: {BOX}, environment: {{A: "%s"}}}}
owned:
  api:
    cmd: exec sleep 1000
    depends_on: {{db: {{condition: service_started, restart: true}}}}
    lifecycle: {{before_start: ['echo "start $STACKD_REASON" >> t/trace'], before_down: ['echo "down $STACKD_REASON" >> t/trace']}}
"""
    world.stack(text % "1")
    world.ctl("up").expect(0)
    before = world.services()["api"]["pid"]
    world.stack(text % "2")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["start up", "down dependency-restart", "start up"], "the hooks")
    check(world.services()["api"]["pid"] != before, "it is another process")
    world.ctl("up").expect(0)
    equal(len(world.lines("stack/t/trace")), 3, "an up that changes nothing")


@scenario("X8: a container that becomes a process, and back, ends with the before_down that it had")
def another_kind(world):
    container = f"services: {{api: {BOX}, lifecycle: {{before_down: ['echo container >> t/trace']}}}}}}\n"
    process = f"owned: {{api: {LIVES}, lifecycle: {{before_down: ['echo process >> t/trace']}}}}}}\n"
    world.stack(container)
    world.ctl("up").expect(0)
    world.stack(process)
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["container"], "as a process now")
    world.stack(container)
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["container", "process"], "as a container again")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["container", "process", "container"], "down")
    world.nothing_left()


@scenario("C4.2: what pre_start does once for a service it does not do while another replica runs")
def gate(world):
    world.stack(f"""
services:
  box: {BOX}, scale: 2, volumes: ["./t:/t"], pre_start: [{{command: sh -c 'echo init >> /t/trace'}}]}}
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["init"], "the first up")
    first = [c["Id"] for c in world.engine.running(world.project, "box") if c["Labels"]["com.docker.compose.container-number"] == "1"]
    world.engine.call("DELETE", f"/containers/{first[0]}?force=1")
    world.ctl("up").expect(0)
    equal(len(world.engine.running(world.project, "box")), 2, "replicas")
    equal(world.lines("stack/t/trace"), ["init"], "an up that makes the first anew")
    world.ctl("up", "--force-recreate").expect(0)
    equal(world.lines("stack/t/trace"), ["init", "init"], "an up that makes both anew")


@scenario("Down of a stack of processes asks no engine for volumes and images")
def no_engine(world):
    world.stack(f"owned: {{api: {LIVES}}}}}\n")
    world.ctl("up").expect(0)
    world.ctl("down", "-v", "--rmi", "local").expect(0)
    world.nothing_left()


@scenario("A restart takes away what was left of another kind, which its first half has stopped")
def restart_of_another_kind(world):
    world.stack(f"services: {{api: {BOX}}}, other: {BOX}}}}}\n")
    world.ctl("up").expect(0)
    world.stack(f"services: {{other: {BOX}}}}}\nowned: {{api: {LIVES}}}}}\n")
    world.ctl("up", "other").expect(0)
    equal(len(world.engine.running(world.project, "api")), 1, "its container is left alone")
    world.ctl("restart").expect(0)
    equal(world.engine.containers(world.project, "api"), [], "its container")
    equal(world.services()["api"]["kind"], "process", "what it is")
    world.ctl("down").expect(0)
    world.nothing_left()
