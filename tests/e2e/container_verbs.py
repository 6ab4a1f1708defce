"""What Compose has for containers as they are: ps, kill, pause, port, rm, scale, volumes; each by the client and by the API."""

import json
import re
import signal
import subprocess

from exec_in_container import Terminal, ask
from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario

STACK = f"""
services:
  db:
    image: {IMAGE}
    command: [sh, -c, "trap 'echo hup' HUP; while :; do sleep 0.1; done"]
    ports: ["5432"]
    volumes: ["data:/data"]
  cache: {{image: {IMAGE}, command: [sleep, "1000"]}}
  web: {{image: {IMAGE}, command: [sleep, "1000"], deploy: {{replicas: 2}}}}
  queue: {{image: {IMAGE}, command: [sleep, "1000"]}}
owned:
  api: {{cmd: sleep 1000}}
volumes:
  data:
"""


def state(world, service):
    return sorted(c["State"] for c in world.engine.containers(world.project, service))


@scenario("ps: Compose's columns for five services; -q, -a, --services, --status and --format say what the engine has")
def ps(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    lines = world.ctl("ps").expect(0).out.splitlines()
    equal(lines[0].split(), ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"], "columns")
    names = [f"{world.project}-{name}" for name in ("cache-1", "db-1", "queue-1", "web-1", "web-2")]
    equal([line.split()[0] for line in lines[1:]], names + ["api"], "rows")
    check(re.search(r'"sleep 1000" +cache +\S.* ago +Up ', lines[1]), f"a row: {lines[1]}")
    check(re.search(r":\d+->5432/tcp", lines[2]), f"its port: {lines[2]}")
    ids = world.ctl("ps", "-q", "db", "web").expect(0).out.split()
    equal(sorted(ids), sorted(c["Id"] for s in ("db", "web") for c in world.engine.running(world.project, s)), "-q")
    equal(world.ctl("ps", "--services").expect(0).out.split(), [s["name"] for s in world.status()["services"]], "--services")
    shown = [json.loads(line) for line in world.ctl("ps", "--format", "json", "db").expect(0).out.splitlines()]
    equal((shown[0]["Service"], shown[0]["State"], shown[0]["Publishers"][0]["TargetPort"]), ("db", "running", 5432), "json")
    equal(world.ctl("ps", "--format", "{{.Service}}={{ .State }}", "cache").expect(0).out, "cache=running\n", "a template")
    check("no service 'dv'" in world.ctl("ps", "dv").expect(5).err, "a service that there is not")
    world.ctl("kill", "cache").expect(0)
    wait_until(lambda: state(world, "cache") == ["exited"], "the end of cache")
    equal(world.ctl("ps", "-q", "cache").expect(0).out, "", "what does not run is not shown")
    check("Exited (137)" in world.ctl("ps", "-a", "cache").expect(0).out, "but with -a")
    equal(world.ctl("ps", "--status", "exited", "--format", "{{.Service}}").expect(0).out, "cache\n", "--status")


@scenario("kill, pause, unpause, port, rm, scale, volumes do in the engine what Compose's do, and say so")
def verbs(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    equal(world.ctl("kill", "-s", "HUP", "db").expect(0).out, f"{world.project}-db-1 signalled\n", "kill -s")
    wait_until(lambda: "hup" in world.ctl("logs", "--no-log-prefix", "db").out.splitlines(), "what the signal does")
    equal(state(world, "db"), ["running"], "a signal that ends nothing")
    check("there is no signal 'SIGNONE'" in world.ctl("kill", "-s", "SIGNONE").expect(2).err, "no such signal")
    world.ctl("pause", "web").expect(0)
    equal(state(world, "web"), ["paused", "paused"], "pause")
    check("nothing to do" in world.ctl("pause", "web").expect(0).err, "a second one")
    check("it runs on this host" in world.ctl("pause", "api").expect(2).err, "pause of a process")
    world.ctl("unpause").expect(0)
    equal(state(world, "web"), ["running", "running"], "unpause of all")
    container = world.engine.inspect(world.engine.running(world.project, "db")[0]["Id"])
    bound = container["NetworkSettings"]["Ports"]["5432/tcp"][0]
    where = world.ctl("port", "db", "5432").expect(0).out.strip()
    equal(where.rsplit(":", 1)[1], bound["HostPort"], "port")
    world.ctl("port", "db", "81").expect(1)
    equal(world.ctl("volumes", "-q").expect(0).out, f"{world.project}_data\n", "volumes")
    world.ctl("scale", "web=3").expect(0)
    equal(state(world, "web"), ["running"] * 3, "scale")
    world.ctl("stop", "queue").expect(0)
    check("rm asks" in world.ctl("rm").expect(2).err, "nobody can be asked")
    equal(world.ctl("rm", "-f").expect(0).out, f"{world.project}-queue-1 removed\n", "rm takes what is stopped")
    world.ctl("rm", "-fs", "cache").expect(0)
    equal(state(world, "cache"), [], "rm -s")
    pid = world.services()["api"]["pid"]
    equal(world.ctl("kill", "api").expect(0).out, "api signalled\n", "kill of a process")
    wait_until(lambda: world.services()["api"].get("pid") != pid, "its end")
    world.ctl("up").expect(0)
    equal((state(world, "cache"), state(world, "queue")), (["running"], ["running"]), "up puts all back")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("the same by the API alone: containers, volumes, kill, pause, unpause, rm")
def over_the_api(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    base = f"/v1/stacks/{world.status()['id']}"

    def ask(method, path, body=None):
        status, document = request(world.daemon.socket, method, base + path, body)
        equal(status, 200, f"{path}: {document}")
        return document

    rows = ask("GET", "/containers")["containers"]
    equal(sorted(r["id"] for r in rows), sorted(c["Id"] for c in world.engine.containers(world.project)), "containers")
    equal([v["name"] for v in ask("GET", "/volumes")["volumes"]], [f"{world.project}_data"], "volumes")
    equal(ask("POST", "/pause", {"services": ["db"]})["containers"], [f"{world.project}-db-1"], "pause")
    equal(state(world, "db"), ["paused"], "paused")
    ask("POST", "/unpause", {})
    ask("POST", "/kill", {"services": ["db"], "signal": "9"})
    wait_until(lambda: state(world, "db") == ["exited"], "the end of db")
    equal(ask("POST", "/rm", {})["containers"], [f"{world.project}-db-1"], "rm")


@scenario("logs --until leaves out what came later; --no-log-prefix shows the bare lines; ls -q and version --short the bare names")
def small_ones(world):
    world.stack(f"""
services:
  talk:
    image: {IMAGE}
    command: [sh, -c, "echo early; while [ ! -e /t/go ]; do sleep 0.05; done; echo late; sleep 1000"]
    volumes: ["@DIR@/t:/t"]
""")
    world.ctl("up").expect(0)
    wait_until(lambda: "early" in world.ctl("logs").out, "the first line")
    at = world.ctl("--json", "logs", "-t").expect(0).json()["at"]
    world.file("stack/t/go", "")
    wait_until(lambda: "late" in world.ctl("logs").out, "the second")
    equal(world.ctl("logs", "--no-log-prefix", "--until", at).expect(0).out, "early\n", "--until")
    world.ctl("logs", "--until", at, "-f").expect(2)
    equal(world.ctl("ls", "-q", project=False).expect(0).out, world.project + "\n", "ls -q")
    check(re.fullmatch(r"\d+\.\d+\.\d+\n", world.ctl("version", "--short").expect(0).out), "version --short")


@scenario("create makes containers and starts nothing; images, stats and events --compose have Compose's columns and fields")
def looks(world):
    world.stack(STACK)
    world.ctl("create", "cache", "web").expect(0)
    equal((state(world, "cache"), state(world, "web"), state(world, "db")), (["created"], ["created"] * 2, []), "create")
    world.ctl("up").expect(0)
    lines = world.ctl("images").expect(0).out.splitlines()
    equal(lines[0].split("  ")[0], "CONTAINER", "columns")
    check(all(word in lines[0] for word in ("REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED")), lines[0])
    repository, tag = IMAGE.rsplit(":", 1)
    equal(lines[1].split()[:4], [f"{world.project}-cache-1", repository, tag, "linux/amd64"], "a row")
    container = world.engine.inspect(world.engine.running(world.project, "db")[0]["Id"])
    equal(world.ctl("images", "-q").expect(0).out, container["Image"].removeprefix("sha256:") + "\n", "-q: each once")
    listed = json.loads(world.ctl("images", "--format", "json", "db").expect(0).out)
    equal((listed[0]["ContainerName"], listed[0]["ID"]), (f"{world.project}-db-1", container["Image"]), "json")
    rows = [json.loads(line) for line in world.ctl("stats", "--no-stream", "--format", "json").expect(0).out.splitlines()]
    equal(sorted(r["Name"] for r in rows), sorted([f"{world.project}-{n}" for n in ("cache-1", "db-1", "queue-1", "web-1", "web-2")] + ["api"]), "stats")
    check(all(set(r) >= {"ID", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"} for r in rows), f"fields: {rows[0]}")
    check(re.search(r"^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS", world.ctl("stats", "--no-stream", "db").out), "columns")
    live = world.spawn("stats", "--format", "{{.Name}}", "cache")
    wait_until(lambda: open(live.output.name, "rb").read().count(b"cache-1") >= 2, "a live one goes on")
    world.ctl("kill", "-s", "HUP", "db").expect(0)
    past = world.ctl("events", "--compose", "--since", "10m", "--until", "0s", "db").expect(0).out.splitlines()
    line = next(l for l in past if " container kill " in l)
    check(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container kill " + container["Id"] + r" \(.*name=", line), line)
    told = [json.loads(l) for l in world.ctl("--json", "events", "--compose", "--since", "10m", "--until", "0s").expect(0).out.splitlines()]
    check({"create", "start", "kill"} <= {e["action"] for e in told} and set(told[0]) == {"time", "type", "service", "id", "action", "attributes"}, told[0])
    check(not any(k.startswith(("com.docker.compose.", "dev.stackd.")) for e in told for k in e["attributes"]), "labels are left out")


@scenario("attach SERVICE: its command's output from now, its input where it has one, signals, the keys that leave it; its exit status at the end")
def attached(world):
    world.stack(f"""
services:
  talk:
    image: {IMAGE}
    stdin_open: true
    command: [sh, -c, "trap 'echo hup' HUP; while sleep 0.01; do if read line; then echo got $$line; [ $$line = end ] && exit 6; fi; done"]
  term: {{image: {IMAGE}, tty: true, stdin_open: true, command: [sh]}}
owned:
  api: {{cmd: sleep 1000}}
""")
    world.ctl("up").expect(0)
    term = Terminal(world, "attach", "term", rows=30, columns=91)
    wait_until(lambda: ask(term, "stty size\r", "30 91"), "a terminal of its own size")
    term.type("\x10\x11")
    equal(term.ended(), 0, "Ctrl-P Ctrl-Q")
    other = Terminal(world, "attach", "--detach-keys", "ctrl-x,x", "term")
    wait_until(lambda: ask(other, "echo he''re\r", "here"), "attached again")
    other.type("\x18x")
    equal(other.ended(), 0, "--detach-keys")
    equal(state(world, "term"), ["running"], "both have left it running")
    child = subprocess.Popen(world.command("attach", "talk"), env=world.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"one\n")
    child.stdin.flush()
    equal(child.stdout.readline(), b"got one\n", "its output")
    child.send_signal(signal.SIGHUP)
    equal(child.stdout.readline(), b"hup\n", "what a signal does")
    child.stdin.write(b"end\n")
    child.stdin.flush()
    equal(child.stdout.read(), b"got end\n", "the rest")
    equal(child.wait(20), 6, "its exit status")
    check("no ends" in world.ctl("attach", "api").expect(2).err, "a process")
    check("not running" in world.ctl("attach", "talk").expect(1).err, "one that has ended")
    check("is no key" in world.ctl("attach", "--detach-keys", "ctrl-", "term").expect(2).err, "keys that are none")
