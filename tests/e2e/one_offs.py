"""One-offs: `run SERVICE COMMAND` beside what Docker Compose makes of it; who goes away; hooks, words, terminals, the API."""

import json
import os
import signal

from exec_in_container import Terminal
from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario

STACK = f"""
services:
  db:
    image: {IMAGE}
    command: [sleep, "1000"]
    healthcheck: {{test: [CMD, "true"], interval: 1s}}
  web:
    image: {IMAGE}
    command: [sh, -c, "echo of the service; sleep 1000"]
    depends_on: {{db: {{condition: service_healthy}}}}
    environment: {{COLOUR: blue, SIZE: small}}
    ports: ["80"]
    restart: always
    working_dir: /tmp
    stop_grace_period: 1s
    volumes: ["data:/data"]
    post_start: [{{command: [sh, -c, "echo $$COLOUR > /data/post_start"]}}]
    pre_start: [{{command: [sh, -c, "echo x > /data/pre_start"]}}]
    pre_stop: [{{command: [sh, -c, "echo x > /data/pre_stop"]}}]
owned:
  api: {{cmd: sleep 1000}}
commands:
  db: {{cmd: echo the command}}
  tell: {{cmd: 'echo told'}}
volumes:
  data:
"""


def one_offs(world, service="web"):
    return [c for c in world.engine.containers(world.project, service)
            if c["Labels"].get("com.docker.compose.oneoff") == "True"]


def replicas(world, service):
    return [c for c in world.engine.containers(world.project, service)
            if c["Labels"].get("com.docker.compose.oneoff") != "True"]


@scenario("run --rm: both streams and the exit status are the command's; what it needs is up, it is no replica, and nothing of it stays")
def beside_compose(world):
    world.stack(STACK)
    done = world.ctl("run", "--rm", "web", "sh", "-c", "echo out; echo wrong >&2; pwd; exit 3").expect(3)
    equal(done.out, "out\n/tmp\n", "stdout")
    check("wrong\n" in done.err, f"stderr: {done.err}")
    equal([c["State"] for c in replicas(world, "db")], ["running"], "what it needs")
    equal((replicas(world, "web"), one_offs(world)), ([], []), "containers of web")
    world.ctl("exec", "-T", "db", "true").expect(0)  # what befell the one-off has been seen by now
    equal(world.ctl("logs", "web").out, "", "the log of a service that has not run, beside its one-off")
    operations = len(world.operations("up"))
    equal(world.ctl("run", "--rm", "-e", "COLOUR=red", "-e", "LITERAL=${services.x.y}", "-u", "65534", "-w", "/data", "web", "sh", "-c",
                    "echo $COLOUR $SIZE $LITERAL $(id -u) $(pwd)").expect(0).out, "red small ${services.x.y} 65534 /data\n", "overrides")
    equal(world.ctl("run", "--rm", "--entrypoint", "echo 'a b'", "web", "c").expect(0).out, "a b c\n", "--entrypoint")
    equal(len(world.operations("up")), operations, "a second one needs no operation")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("run -d: labels, name, network, ports and policies as Compose's; ps -a shows it, status and up do not count it, down takes it away")
def as_compose_makes_it(world):
    world.stack(STACK)
    ident = world.ctl("run", "-d", "--name", f"{world.project}-mine", "-v", "data:/more:ro", "-l", "a=b", "web", "sleep", "500").expect(0).out.strip()
    other = world.ctl("run", "-d", "--rm", "-P", "web").expect(0).out.strip()
    mine, its = world.engine.inspect(ident), world.engine.inspect(other)
    equal(mine["Name"], f"/{world.project}-mine", "--name")
    labels = its["Config"]["Labels"]
    for key, value in (("oneoff", "True"), ("project", world.project), ("service", "web")):
        equal(labels[f"com.docker.compose.{key}"], value, key)
    slug = labels["com.docker.compose.slug"]
    equal(its["Name"], f"/{world.project}-web-run-{slug[:12]}", "name")
    check(len(slug) == 64 and "com.docker.compose.config-hash" in labels, "slug and hash")
    check("com.docker.compose.container-number" not in labels, "it has no number")
    equal(mine["Config"]["Labels"]["a"], "b", "-l")
    equal((mine["HostConfig"]["AutoRemove"], its["HostConfig"]["AutoRemove"]), (False, True), "--rm")
    equal(mine["HostConfig"]["RestartPolicy"]["Name"] or "no", "no", "restart")
    equal(mine["HostConfig"]["PortBindings"] or {}, {}, "no ports unless asked")
    check(its["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"], "--service-ports")
    equal(sorted(m["Destination"] for m in mine["Mounts"]), ["/data", "/more"], "-v beside the service's")
    aliases = mine["NetworkSettings"]["Networks"][f"{world.project}_default"]["Aliases"]
    check("web" not in aliases and f"{world.project}-mine" in aliases, f"aliases: {aliases}")
    check("of the service" in world.engine.call("GET", f"/containers/{other}/logs?stdout=1&stderr=1", raw=True).decode("latin-1"), "its own command")

    names = [line.split()[0] for line in world.ctl("ps").expect(0).out.splitlines()[1:]]
    equal(names, [f"{world.project}-db-1"], "ps")
    check(f"{world.project}-mine" in world.ctl("ps", "-a").expect(0).out, "ps -a")
    up = world.ctl("up").expect(0)
    check("orphan" not in up.text and "found containers" not in up.text, f"an up that counts it: {up.text}")
    equal([len(s["containers"]) for s in world.status()["services"] if s["name"] == "web"], [1], "replicas of web")
    equal(len(one_offs(world)), 2, "an up leaves them")
    equal(world.ctl("exec", "web", "hostname").expect(0).out.strip(), replicas(world, "web")[0]["Id"][:12], "exec is in the replica")
    check("run-" in world.ctl("down", "--dry-run").expect(10).out, "what a down would take")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("C3.5, C4.12, C5.4: of the hooks of a service post_start runs in a one-off, pre_start and pre_stop do not")
def hooks(world):
    world.stack(STACK)
    world.ctl("run", "--rm", "web", "sh", "-c", "i=0; while [ ! -s /data/post_start ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done").expect(0)
    equal(world.engine.run(world.project, ["ls", "/v"], f"{world.project}_data"), "post_start\n", "what hooks have written")
    equal(world.engine.run(world.project, ["cat", "/v/post_start"], f"{world.project}_data"), "blue\n", "its environment")
    runs = [(h["phase"], h["state"], h["reason"]) for h in world.hooks() if h["service"] == "web"]
    equal(runs, [("post_start", "succeeded", "run")], "the record")


@scenario("run: a client that is killed and a daemon that is killed end the one-off; --rm takes it away then, and without it stays, stopped")
def who_goes_away(world):
    world.stack(STACK)
    world.ctl("up", "db").expect(0)
    killed = world.spawn("run", "--rm", "-T", "web", "sleep", "601")
    wait_until(lambda: [c for c in one_offs(world) if c["State"] == "running"], "the first")
    os.killpg(killed.pid, signal.SIGKILL)
    wait_until(lambda: not one_offs(world), "its end")
    kept = world.spawn("run", "-T", "web", "sleep", "602")
    wait_until(lambda: [c for c in one_offs(world) if c["State"] == "running"], "the second")
    gone = world.spawn("run", "--rm", "-T", "web", "sleep", "603")
    wait_until(lambda: len([c for c in one_offs(world) if c["State"] == "running"]) == 2, "the third")
    world.daemon.kill()
    for client in (kept, gone):
        check("lost the daemon" in world.end_of(client).out, "what its client says")
    equal(len(one_offs(world)), 2, "with no daemon they run on")
    world.daemon.start()
    wait_until(lambda: [c["State"] for c in one_offs(world)] == ["exited"], "what is left")
    check(one_offs(world)[0]["Command"] == "sleep 602", "the one without --rm")
    # Its own end, with nobody there: the engine takes it away.
    world.ctl("run", "-d", "--rm", "web", "sleep", "0.5").expect(0)
    wait_until(lambda: len(one_offs(world)) == 1, "the end of a detached one")


@scenario("run in a terminal: keys, the window's size, its exit status; Ctrl-P Ctrl-Q leaves the container running; without one signals reach it")
def terminals(world):
    world.stack(STACK)
    world.ctl("up", "db").expect(0)
    terminal = Terminal(world, "run", "--rm", "web", "sh", rows=31, columns=97)
    terminal.shows("# ")
    terminal.type("stty size\r")
    terminal.shows("31 97")
    terminal.type("exit 9\r")
    equal(terminal.ended(), 9, "exit status")
    wait_until(lambda: not one_offs(world), "its removal")
    left = Terminal(world, "run", "--rm", "web", "sh", "-c", "echo begun; sleep 604")
    left.shows("begun")
    left.type("\x10\x11")
    equal(left.ended(), 0, "let go of")
    equal([c["State"] for c in one_offs(world)], ["running"], "it runs on")
    world.engine.call("POST", f"/containers/{one_offs(world)[0]['Id']}/kill")
    wait_until(lambda: not one_offs(world), "and goes when it ends")
    piped = world.spawn("run", "--rm", "-T", "web", "sh", "-c", "trap 'echo got it; exit 7' TERM; echo begun; while :; do sleep 0.1; done")
    wait_until(lambda: b"begun" in open(piped.output.name, "rb").read(), "its first line")
    piped.send_signal(signal.SIGTERM)
    said = world.end_of(piped).expect(7)
    check("got it" in said.out, said.out)


@scenario("run: a word that is a command and a container service is refused with the two spellings; a process service, and a word that is neither, say what to do")
def words(world):
    world.stack(STACK)
    refused = world.ctl("run", "db", "true").expect(2).err
    check("run --command db" in refused and "run --service db" in refused, refused)
    equal(world.ctl("run", "--command", "db").expect(0).out, "the command\n", "--command")
    equal(world.ctl("run", "--rm", "--service", "db", "echo", "in", "it").expect(0).out, "in it\n", "--service")
    equal(world.ctl("run", "tell").expect(0).out, "told\n", "a command alone")
    check("stackctl exec api" in world.ctl("run", "api", "true").expect(2).err, "a process")
    neither = world.ctl("run", "wep", "true").expect(5).err
    check("service 'wep'" in neither and "did you mean 'web'" in neither and "none of the file's commands" in neither, neither)
    check("is for a one-off" in world.ctl("run", "--rm", "--command", "tell").expect(2).err, "an option that a command has not")
    world.ctl("run", "-v", "x:y:z:w", "web", "true").expect(2)
    world.ctl("down").expect(0)


@scenario("run --no-deps starts nothing else, and a stack that was down stays down; --no-wait takes what there is while an operation runs")
def alone(world):
    world.stack(STACK + "lifecycle:\n  after_up: ['while [ ! -e t/go ]; do sleep 0.05; done']\n")
    equal(world.ctl("run", "--rm", "--no-deps", "web", "echo", "alone").expect(0).out, "alone\n", "without what it needs")
    equal((replicas(world, "db"), world.status()["status"]), ([], "down"), "what came up with it")
    up = world.spawn("up")
    wait_until(lambda: replicas(world, "web") and world.operations("up")[0]["state"] == "running", "an up")
    equal(world.ctl("run", "--rm", "--no-wait", "web", "echo", "now").expect(0).out, "now\n", "--no-wait")
    waiting = world.spawn("run", "--rm", "-T", "web", "echo", "then")
    wait_until(lambda: b"waiting for up" in open(waiting.output.name, "rb").read(), "what it says")
    world.file("stack/t/go", "")
    check("then\n" in world.end_of(waiting).expect(0).out, "afterwards")
    world.end_of(up).expect(0)


@scenario("run over the API alone: one request that answers with its end")
def over_the_api(world):
    directory = world.stack(STACK)
    body = {"stack": {"directory": directory, "project_name": world.project, "environment": {}}, "service": "web",
            "command": ["sh", "-c", "echo out; echo err >&2; exit 5"], "remove": True}
    status, done = request(world.daemon.socket, "POST", "/v1/run", body)
    equal((status, done.get("exit_code"), done.get("stdout"), done.get("stderr")), (200, 5, "out\n", "err\n"), f"the answer: {done}")
    equal(one_offs(world), [], "removed")
    status, problem = request(world.daemon.socket, "POST", "/v1/run", dict(body, service="wep"))
    equal((status, problem["code"]), (404, "not-found"), "a service that there is not")
    status, problem = request(world.daemon.socket, "POST", "/v1/run", dict(body, ports=["x"]))
    equal((status, problem["code"]), (400, "invalid-request"), "a port that is none")
