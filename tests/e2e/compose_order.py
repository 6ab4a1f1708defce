"""When Compose's hooks run and who waits for them (C1 to C6 of semantics.md, with part X), on the real engine."""

import io
import os
import tarfile

from compose_support import BOX, compose, inspect, only, tokens
from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


def said(text):
    """A hook that writes a line to the trace."""
    return f"{{command: sh -c 'echo {text} >> /t/trace'}}"


@scenario("C1.2: every string of a hook is interpolated when the file is loaded, and $$ is a dollar")
def interpolated(world):
    world.file("stack/.env", "TAG=seven\nWHERE=/tmp\nWHO=nobody\n")
    compose(world, """
services:
  box:
    BOX_LINES
    volumes: ["./t:/t"]
    post_start:
      - command: ["sh", "-c", "echo ${TAG} $$V $$(pwd) $$(id -un) >> /t/trace"]
        environment: ["V=${TAG:+set}"]
        working_dir: ${WHERE}
        user: ${WHO}
""".replace("BOX_LINES", f"image: {IMAGE}\n    init: true\n    command: sleep infinity\n    stop_grace_period: 1s"))
    world.ctl("up").expect(0)
    equal(tokens(world), ["seven set /tmp nobody"], "what the hook was given")
    compose(world, "services: {box: {BOX, post_start: [{command: 'echo ${NOT CLOSED'}]}}\n")
    world.ctl("up").expect(2, "compose.yaml:1:")


@scenario("C1.6: images of pre_start are in config --images; one that cannot be had fails the up, and its service never starts")
def images_of_hooks(world):
    compose(world, "services: {box: {BOX, pre_start: [{image: 'nowhere/none:1', command: [true]}]}}\n")
    images = world.ctl("config", "--images").expect(0).out.split()
    equal(sorted(images), sorted([IMAGE, "nowhere/none:1"]), "config --images")
    world.ctl("up", "--pull", "never").expect(1, "nowhere/none:1")
    world.nothing_left()


@scenario("C3.1, C3.2, C3.3: post_start follows its container's start; replicas start one after the other; dependents wait")
def starts(world):
    compose(world, """
services:
  box:
    BOX_LINES
    scale: 2
    volumes: ["./t:/t"]
    post_start: [{command: sh -c 'echo begin >> /t/trace; sleep 0.4; echo end >> /t/trace'}]
  web: {image: IMAGE, init: true, command: sh -c 'echo web >> /t/trace; sleep infinity', volumes: ["./t:/t"],
        stop_grace_period: 1s, depends_on: [box]}
""".replace("BOX_LINES", f"image: {IMAGE}\n    init: true\n    command: sleep infinity\n    stop_grace_period: 1s"))
    world.ctl("up").expect(0)
    wait_until(lambda: "web" in tokens(world), "web's first line")
    equal(tokens(world), ["begin", "end", "begin", "end", "web"], "the order")
    runs = {run["container"]: run["started_at"] for run in world.hooks() if run["phase"] == "post_start"}
    equal(len(runs), 2, "runs of post_start, one a container")
    for container in world.engine.running(world.project, "box"):
        started = world.engine.inspect(container["Id"])["State"]["StartedAt"]
        check(started[:19] <= runs[container["Id"]][:19], "C3.1: a hook before its container's start")


@scenario("C3.4: who waits for service_healthy is held back until post_start is done, though the container is healthy before")
def healthy_but_hooked(world):
    compose(world, """
services:
  db: {BOX, volumes: ["./t:/t"], healthcheck: {test: ["CMD", "true"], interval: 100ms},
       post_start: [{command: sh -c 'sleep 1.5; echo hook >> /t/trace'}]}
  web: {image: IMAGE, init: true, command: sh -c 'echo web >> /t/trace; sleep infinity', volumes: ["./t:/t"],
        stop_grace_period: 1s, depends_on: {db: {condition: service_healthy}}}
""")
    up = world.spawn("up")
    wait_until(lambda: [c for c in world.engine.running(world.project, "db") if "(healthy)" in c["Status"]], "db's health")
    equal(tokens(world), [], "what has run when db is healthy")
    world.end_of(up).expect(0)
    wait_until(lambda: "web" in tokens(world), "web's first line")
    equal(tokens(world), ["hook", "web"], "the order")


@scenario("C3.5, C3.6, C4.12: post_start runs on start, restart and in new replicas, not where nothing starts; pre_start not on restart")
def when(world):
    compose(world, f"services: {{box: {{BOX, volumes: ['./t:/t'], pre_start: [{said('pre')}], post_start: [{said('post')}]}}}}\n")

    def ran(what, *expected):
        equal(tokens(world), list(expected), what)
        world.file("stack/t/trace", "")
        os.chmod(world.path("stack/t/trace"), 0o666)
    world.ctl("up").expect(0)
    ran("the first up", "pre", "post")
    world.ctl("up").expect(0, "nothing to do")
    ran("an up of what runs")
    world.ctl("restart", "-t", "1").expect(0)
    ran("restart", "post")
    world.ctl("stop", "-t", "1").expect(0)
    world.ctl("start").expect(0)
    ran("stop and start (X3: pre_start has succeeded for this container)", "post")
    world.ctl("up", "--scale", "box=2").expect(0)
    ran("a second replica (C4.2: one runs)", "post")
    world.engine.call("POST", f"/containers/{world.engine.running(world.project, 'box')[0]['Id']}/pause")
    world.engine.call("POST", f"/containers/{[c for c in world.engine.containers(world.project, 'box') if c['State'] == 'paused'][0]['Id']}/unpause")
    world.ctl("up", "--scale", "box=2").expect(0)
    ran("unpause")


@scenario("C3.7, C3.9, X1: a post_start that fails ends its list, holds back the later replicas and cancels what still starts")
def failing(world):
    compose(world, f"""
services:
  box: {{BOX, scale: 2, volumes: ["./t:/t"], post_start: [{said("first")}, {{command: sh -c 'exit 9'}}, {said("third")}]}}
  slow: {{BOX, post_start: [{{command: sleep 60}}]}}
""")
    world.ctl("up", limit=40).expect(1, "box hook exited with status 9")
    equal(tokens(world), ["first"], "entries that ran, of two replicas")
    world.nothing_left()
    compose(world, f"services: {{box: {{BOX, volumes: ['./t:/t'], post_start: [{{command: test ! -e /t/bad}}]}}}}\n")
    world.ctl("up").expect(0)
    world.file("stack/t/bad", "")
    world.ctl("restart", "-t", "1").expect(1, "box hook exited with status 1")
    equal(world.status()["status"], "failed", "the stack's status after a failed restart")
    os.unlink(world.path("stack/t/bad"))
    world.ctl("up").expect(0)
    equal(world.services()["box"]["status"], "ready", "box after the next up")


@scenario("C4.1: pre_start runs once its service's dependencies are met and its container is made, and before that starts")
def between(world):
    compose(world, f"""
services:
  db: {{BOX, volumes: ["./t:/t"], healthcheck: {{test: ["CMD", "test", "-e", "/tmp/ok"], interval: 200ms, retries: 100}},
       post_start: [{said("db")}, {{command: touch /tmp/ok}}]}}
  box: {{BOX, volumes: ["./t:/t"], depends_on: {{db: {{condition: service_healthy}}}}, pre_start: [{said("pre")}]}}
""")
    world.ctl("up").expect(0)
    equal(tokens(world), ["db", "pre"], "the order")
    box = inspect(world, "box")
    run = [r for r in world.hooks() if r["phase"] == "pre_start"][0]
    check(box["Created"][:23] <= run["started_at"][:23] <= run["ended_at"][:23] <= box["State"]["StartedAt"][:23],
          f"created {box['Created']}, hook {run['started_at']} to {run['ended_at']}, started {box['State']['StartedAt']}")


@scenario("C4.4: pre_start runs against the replica with the lowest number: its anonymous volume is the one that is filled")
def lowest(world):
    compose(world, """
services:
  box: {BOX, scale: 2, volumes: ["/data"], pre_start: [{command: sh -c 'echo 1 > /data/order'}, {command: sh -c 'echo 2 >> /data/order'}]}
""")
    world.ctl("up").expect(0)
    found = {}
    for container in world.engine.running(world.project, "box"):
        number = container["Labels"]["com.docker.compose.container-number"]
        tar = world.engine.call("GET", f"/containers/{container['Id']}/archive?path=/data", raw=True)
        with tarfile.open(fileobj=io.BytesIO(tar)) as files:
            found[number] = files.extractfile("data/order").read().split() if "data/order" in files.getnames() else None
    equal(found, {"1": [b"1", b"2"], "2": None}, "what is in the replicas' volumes")


@scenario("C4.9: a pre_start container that the engine cannot start is removed, and the engine's words are told")
def cannot_start(world):
    compose(world, "services: {box: {BOX, pre_start: [{command: /no/such/program}]}}\n")
    world.ctl("up").expect(1, "box pre_start[0]", "/no/such/program")
    left = world.engine.containers(world.project)
    equal([(c["Labels"].get("com.docker.compose.hook"), c["State"]) for c in left], [(None, "created")], "what is left (C4.8)")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("C5.5, C5.10: down without the stack file, or with one whose env_file is gone, runs pre_stop all the same")
def without_the_file(world):
    text = f"services: {{box: {{BOX, env_file: [x.env], volumes: ['./t:/t'], pre_stop: [{said('bye')}]}}}}\n"
    world.file("stack/x.env", "A=1\n")
    compose(world, text)
    world.ctl("up").expect(0)
    os.unlink(world.path("stack/x.env"))
    world.ctl("down").expect(0)
    equal(tokens(world), ["bye"], "C5.10: without the env_file")
    world.file("stack/x.env", "A=1\n")
    world.ctl("up").expect(0)
    os.unlink(world.path("stack/compose.yaml"))
    world.ctl("down").expect(0)
    equal(tokens(world), ["bye", "bye"], "C5.5: without the file")
    world.nothing_left()


@scenario("C6.1, C6.2: up goes leaves first with branches side by side, down the other way; a plain depends_on waits for the start")
def both_ways(world):
    def box(name, needs):
        return (f"  {name}: {{BOX, volumes: ['./t:/t'], depends_on: [{needs}], pre_stop: [{said('-' + name)}],"
                f" post_start: [{said('+' + name)}, {{command: sleep 0.5}}, {said(name + ' is up')}]}}\n")
    compose(world, "services:\n" + box("base", "") + box("left", "base") + box("right", "base") + box("top", "left, right"))
    world.ctl("up").expect(0)
    up = tokens(world)
    equal(up[:2] + up[-2:], ["+base", "base is up", "+top", "top is up"], "the first and the last")
    equal(sorted(up[2:4]), ["+left", "+right"], "the two branches begin before either ends")
    world.file("stack/t/trace", "")
    os.chmod(world.path("stack/t/trace"), 0o666)
    world.ctl("down").expect(0)
    down = tokens(world)
    equal([down[0], sorted(down[1:3]), down[3]], ["-top", ["-left", "-right"], "-base"], "down")


@scenario("C7.1: stop_signal and the grace period are the container's; a part of a second is none; -t is instead of it")
def stopping(world):
    body = "trap 'echo usr >> /t/trace; sleep 3; echo late >> /t/trace; exit 0' USR1; echo on >> /t/trace; while :; do sleep 0.1; done"
    compose(world, f"""
services:
  box: {{image: IMAGE, command: ["sh", "-c", "{body}"], volumes: ["./t:/t"], stop_signal: SIGUSR1, stop_grace_period: 1900ms}}
""")
    world.ctl("up").expect(0)
    wait_until(lambda: tokens(world) == ["on"], "box's first line")
    equal(only(world, "box")["State"], "running", "box")
    equal((inspect(world, "box")["Config"]["StopSignal"], inspect(world, "box")["Config"]["StopTimeout"]), ("SIGUSR1", 1), "what it was made with")
    world.ctl("stop").expect(0)
    equal(tokens(world), ["on", "usr"], "1 s is not enough for it")
    world.ctl("start").expect(0)
    wait_until(lambda: tokens(world)[-1] == "on", "box again")
    world.ctl("stop", "-t", "20").expect(0)
    equal(tokens(world), ["on", "usr", "on", "usr", "late"], "with -t 20")


@scenario("C11.1, C11.2, C11.3, C11.4: what is done to a container past stackd is seen: an exit, a stop, a restart, a kill, a signal that ends nothing")
def past_stackd(world):
    compose(world, f"""
services:
  box: {{image: IMAGE, init: true, command: "sh -c 'trap : HUP; while :; do sleep 0.1; done'", volumes: ["./t:/t"], post_start: [{said("post")}]}}
""")
    world.ctl("up").expect(0)
    container = only(world, "box")["Id"]

    def post(what):
        world.engine.call("POST", f"/containers/{container}/{what}")

    def becomes(status, hooks, what):
        wait_until(lambda: (world.services()["box"]["status"], len(tokens(world))) == (status, hooks), what)
    becomes("ready", 1, "ready after up")
    post("kill?signal=HUP")
    becomes("ready", 1, "a harmless signal")
    post("restart?t=0")
    becomes("ready", 2, "C11.3: restart, its hook run once (X30)")
    post("kill")
    becomes("exited", 2, "C11.4: kill")
    equal(world.services()["box"]["exit_code"], 137, "its exit code")
    post("start")
    becomes("ready", 3, "start (X30)")
    post("stop?t=0")
    becomes("exited", 3, "C11.2: stop")
    world.ctl("up").expect(0)
    becomes("ready", 4, "up after a stop by hand")
    equal(only(world, "box")["Id"], container, "the container")
    world.ctl("down", "-t", "0").expect(0)
    world.nothing_left()
