"""Host processes and readiness: parts L3 to L5 and L10.1 of the rules, and X10, X13, X14, X33, one by one."""

import os
import signal
import socket
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


def trace(world):
    return world.lines("stack/t/trace")


@scenario("L3.1: a process runs in its cwd by /bin/sh, in a session of its own, with no stdin, its ports and both streams logged")
def how_it_runs(world):
    world.stack("""
owned:
  api:
    cmd: pwd -P; echo "port $PORT"; cat; echo to-stderr >&2; ps -o sid= -p $$ | tr -d ' '; echo "pid $$"; exec sleep 1000
    cwd: ./t
    port: {env: PORT}
    ready_when: {log_match: "^pid"}
""")
    world.ctl("up").expect(0)
    api = world.services()["api"]
    lines = world.ctl("logs", "api").expect(0).out
    for text in (world.path("stack/t"), f"port {api['ports'][0]['host_port']}", "to-stderr", f"pid {api['pid']}"):
        check(text in lines, f"{text!r} is not in the log: {lines}")
    equal(os.getsid(api["pid"]), api["pid"], "its session")


@scenario("L3.4: http_get waits for a 2xx and follows redirects; a path goes to the first port")
def http_get(world):
    world.file("stack/server.py", """
import http.server, os, time
begin = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.send_response(302 if time.monotonic() - begin > 0.5 else 503)
            self.send_header("Location", "/real")
        else:
            self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
""")
    world.stack("""
owned:
  api: {cmd: exec python3 server.py, port: {env: PORT}, ready_when: {http_get: /health, timeout: 20s}}
  url: {cmd: exec sleep 1000, depends_on: [api], ready_when: {http_get: "http://localhost:${owned.api.port}/other"}}
""")
    started = time.monotonic()
    world.ctl("up").expect(0)
    check(time.monotonic() - started > 0.5, "it was ready before it said so")


@scenario("L3.4: tcp takes host:port or a bare port; cmd runs with the service's environment and directory")
def tcp_and_cmd(world):
    world.stack("""
owned:
  bare: {cmd: "exec busybox httpd -f -p 127.0.0.1:$PORT -h .", port: {env: PORT}, ready_when: {tcp: "${owned.bare.port}"}}
  full: {cmd: exec sleep 1000, ready_when: {tcp: "127.0.0.1:${owned.bare.port}"}}
  cmd: {cmd: "sleep 0.3; touch made; exec sleep 1000", cwd: ./t, env: {NAME: made}, ready_when: {cmd: 'test -e "$NAME"'}}
""")
    world.ctl("up").expect(0)
    check(os.path.exists(world.path("stack/t/made")), "cmd did not wait")


@scenario("L3.4, L3.6, X10: ready_when of a container service: log_match with capture, tcp, cmd; fail_when")
def container_ready_when(world):
    world.stack(f"""
services:
  log:
    image: {IMAGE}
    init: true
    command: sh -c 'sleep 0.3; echo "listening at http://x:1/"; sleep infinity'
    ready_when: {{log_match: listening, capture: {{url: "http://[^ ]+"}}}}
  web:
    image: {IMAGE}
    init: true
    command: sh -c 'sleep 0.3; exec httpd -f -p 80 -h /t'
    ports: ["80"]
    volumes: ["./t:/t"]
    ready_when: {{http_get: "http://localhost:${{services.web.host_port}}/", timeout: 20s}}
  cmd:
    image: {IMAGE}
    init: true
    command: sh -c 'sleep 0.3; touch /t/made; sleep infinity'
    volumes: ["./t:/t"]
    ready_when: {{cmd: test -e t/made}}
owned:
  user: {{cmd: exec sleep 1000, depends_on: [log], env: {{URL: "${{services.log.captured.url}}"}},
          lifecycle: {{before_start: ['echo "$URL" >> t/trace']}}}}
""")
    world.file("stack/t/index.html", "")
    world.ctl("up", limit=40).expect(0)
    equal(trace(world), ["http://x:1/"], "the captured value")


@scenario("L3.6: fail_when of a container ends the wait at once")
def container_fail_when(world):
    world.stack(f"""
services:
  bad:
    image: {IMAGE}
    init: true
    command: sh -c 'echo "fatal - no disk"; sleep infinity'
    ready_when: {{log_match: never}}
    fail_when: {{log_match: "^fatal"}}
""")
    world.ctl("up", limit=30).expect(1, "fatal - no disk")
    world.nothing_left()


@scenario("L3.5, X10: a container that ends while its readiness is waited for fails the up at once, with its last lines")
def container_exit(world):
    world.stack(f"""
services:
  bad: {{image: {IMAGE}, command: sh -c 'echo last words; exit 4', ready_when: {{tcp: "127.0.0.1:1"}}}}
""")
    world.ctl("up", limit=30).expect(1, "bad", "4", "last words")
    world.nothing_left()


@scenario("L3.5: without ready_when an exit with a status at once is a failure; one with 0 is not")
def exit_without_probe(world):
    world.stack('owned: {bad: {cmd: "echo oh no >&2; exit 3"}}\n')
    world.ctl("up", limit=30).expect(1, "bad", "exited with status 3", "oh no")
    world.nothing_left()
    world.stack('owned: {good: {cmd: "exit 0"}}\n')
    world.ctl("up", limit=30).expect(0)


@scenario("L3.6: fail_when without ready_when counts while the process settles")
def fail_when_alone(world):
    world.stack("""
owned:
  bad: {cmd: "echo 'fatal: no'; exec sleep 1000", fail_when: {log_match: "^fatal"}}
""")
    world.ctl("up", limit=30).expect(1, "fatal: no")
    world.nothing_left()


@scenario("L3.4: a capture that misses fails the up, and its message names it")
def capture_misses(world):
    world.stack("""
owned:
  bad: {cmd: "echo ready; exec sleep 1000", ready_when: {log_match: ready, capture: {url: "http://.*"}}}
""")
    world.ctl("up", limit=30).expect(1, "url", "http://.*")
    world.nothing_left()


@scenario("L3.4: what a process writes after its port is open is still captured, for tcp too")
def late_capture(world):
    world.stack("""
owned:
  tunnel:
    cmd: (sleep 0.4; echo url=http://late) & exec busybox httpd -f -p 127.0.0.1:$PORT -h .
    port: {env: PORT}
    ready_when: {tcp: "${owned.tunnel.port}", capture: {url: "url=(.*)"}}
  user:
    cmd: exec sleep 1000
    depends_on: [tunnel]
    env: {URL: "${owned.tunnel.captured.url}"}
    lifecycle: {before_start: ['echo "$URL" >> t/trace']}
""")
    world.ctl("up").expect(0)
    equal(trace(world), ["http://late"], "the captured value")


@scenario("L10.4: nothing is matched against an earlier run's lines")
def earlier_lines(world):
    world.stack("""
owned:
  api: {cmd: "test -e t/quiet || echo ready now; exec sleep 1000", ready_when: {log_match: ready now, timeout: 1s}}
""")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0)
    world.file("stack/t/quiet", "")
    world.ctl("up", limit=30).expect(1, "api", "1s")


@scenario("L3.7: a oneshot that fails fails the up with its last lines; ready_when looks at what it has done")
def oneshots(world):
    world.stack("""
owned:
  job: {cmd: "(sleep 0.4; touch t/made) & exit 0", oneshot: true, ready_when: {cmd: test -e t/made}}
  next: {cmd: "test -e t/made && echo seen >> t/trace; exec sleep 1000", depends_on: [job]}
""")
    world.ctl("up").expect(0)
    equal(trace(world), ["seen"], "the one that comes after it")
    equal(world.services()["job"]["status"], "completed", "its status")
    equal(world.status()["status"], "up", "status")
    world.ctl("down").expect(0)
    world.stack('owned: {job: {cmd: "echo so sorry; exit 9", oneshot: true, stop_cmd: "echo undone >> t/trace"}}\n')
    world.ctl("up").expect(1, "job", "9", "so sorry")


@scenario("L4.1: a failed up runs the stop_cmd of oneshots that were done, and ends the other processes")
def cascade(world):
    world.stack("""
owned:
  job: {cmd: "true", oneshot: true, stop_cmd: "echo undone >> t/trace"}
  other: {cmd: "exec sleep 1000", lifecycle: {before_down: ["echo no >> t/trace"]}}
  bad: {cmd: exit 1, depends_on: [job, other]}
lifecycle: {before_down: ["echo no >> t/trace"], after_down: ["echo no >> t/trace"]}
""")
    world.ctl("up").expect(1, "bad")
    equal(trace(world), ["undone"], "L4: no down hooks, but the stop_cmd")
    world.nothing_left()


@scenario("L2.2: a process that dies with an error while its after_ready runs fails the up")
def dies_in_after_ready(world):
    world.stack("""
owned:
  bad: {cmd: "sleep 0.5; echo gone; exit 5", lifecycle: {after_ready: [sleep 1]}}
lifecycle: {after_up: ["echo up >> t/trace"]}
""")
    world.ctl("up", limit=30).expect(1, "bad", "5")
    equal(trace(world), [], "after_up")


@scenario("X14, L5.6: stop_cmd runs in the service's directory with its ports; the process is signalled if it still lives")
def stop_cmd(world):
    world.stack("""
owned:
  api:
    cmd: trap 'echo TERM >> trace; exit 0' TERM; while :; do sleep 0.05; done
    cwd: ./t
    port: {env: PORT}
    stop_cmd: 'echo "stop $(basename $PWD) $PORT" >> trace'
""")
    world.ctl("up").expect(0)
    port = world.services()["api"]["ports"][0]["host_port"]
    world.ctl("down").expect(0)
    equal(trace(world), [f"stop t {port}", "TERM"], "what ran")


@scenario("L5.6: a stop_cmd that fails is a warning, and down goes on")
def stop_cmd_fails(world):
    world.stack("""
owned: {api: {cmd: exec sleep 1000, stop_cmd: "echo no >&2; exit 4"}}
""")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0, "stop_cmd", "4")
    world.nothing_left()


@scenario("L5.7: owned_containers: what a process has started itself is removed on down, by label or by name")
def owned_containers(world):
    made = []
    for name in ("label", "name"):
        body = {"Image": IMAGE, "Cmd": ["sleep", "infinity"], "Labels": {"e2e.owner": f"{world.project}-{name}"}, "HostConfig": {}}
        container = world.engine.call("POST", f"/containers/create?name={world.project}-own-{name}", body)["Id"]
        world.engine.call("POST", f"/containers/{container}/start")
        made.append(container)
    try:
        world.stack(f"""
owned:
  a: {{cmd: exec sleep 1000, stop_cmd: "true", owned_containers: {{label: "e2e.owner={world.project}-label"}}}}
  b: {{cmd: "true", oneshot: true, owned_containers: {{name_pattern: "{world.project}-own-name"}}}}
""")
        world.ctl("up").expect(0)
        world.ctl("down").expect(0)
        for container in made:
            world.engine.call("GET", f"/containers/{container}/json", good=(404,))
    finally:
        for container in made:
            world.engine.call("DELETE", f"/containers/{container}?force=1", good=(204, 404))


@scenario("L5.5: TERM to the whole group, KILL after the grace; a grandchild in another session goes too")
def term_then_kill(world):
    world.stack("""
owned:
  api:
    cmd: trap '' TERM; setsid sh -c "trap '' TERM; echo \\$\\$ > t/grandchild; while :; do sleep 0.1; done" & while :; do sleep 0.1; done
    stop_grace_period: 700ms
    ready_when: {cmd: test -s t/grandchild}
""")
    world.ctl("up").expect(0)
    grandchild = int(world.read("stack/t/grandchild"))
    started = time.monotonic()
    world.ctl("down").expect(0)
    took = time.monotonic() - started
    check(0.7 <= took < 8, f"down took {took:.1f} s")
    check(not os.path.exists(f"/proc/{grandchild}"), "the grandchild is left")


@scenario("A stack whose processes were stopped one by one is stopped, though a oneshot of it is completed")
def stopped_beside_a_oneshot(world):
    world.stack('owned: {a: {cmd: exec sleep 1000}, b: {cmd: exec sleep 1000}, job: {cmd: "true", oneshot: true}}\n')
    world.ctl("up").expect(0)
    for name, status in (("a", "up"), ("b", "stopped")):
        world.ctl("stop", name).expect(0)
        equal(world.status()["status"], status, f"with {name} stopped")
    world.ctl("start").expect(0)
    equal(world.status()["status"], "up", "started again")


@scenario("stop, start and restart of one process leave the others alone")
def one_process(world):
    world.stack("""
owned:
  a: {cmd: exec sleep 1000, lifecycle: {before_start: ['echo "start a" >> t/trace'], before_down: ['echo "down a" >> t/trace']}}
  b: {cmd: exec sleep 1000}
""")
    world.ctl("up").expect(0)
    before = {name: service["pid"] for name, service in world.services().items()}
    world.ctl("restart", "a").expect(0)
    after = {name: service["pid"] for name, service in world.services().items()}
    check(after["a"] != before["a"], "a was not restarted")
    equal(after["b"], before["b"], "the other one")
    equal(trace(world), ["start a", "down a", "start a"], "L5.9: what ran")
    world.ctl("stop", "a").expect(0, "a stopped")
    world.ctl("stop", "a").expect(0, "nothing to do: a was not running")
    equal(world.services()["a"]["status"], "stopped", "status of the stopped one")
    equal(world.services()["b"]["pid"], before["b"], "the other one")
    world.ctl("start", "a").expect(0, "a started")
    world.ctl("start").expect(0, "nothing to do")
    equal({name: s["status"] for name, s in world.services().items()}, {"a": "ready", "b": "ready"}, "after start")
    equal(world.services()["b"]["pid"], before["b"], "the other one")
    equal(world.status()["status"], "up", "status")


@scenario("status right after up says ready, never starting")
def ready_after_up(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, init: true, command: sleep infinity, healthcheck: {{test: ["CMD", "true"], interval: 60s}}}}
owned: {{a: {{cmd: exec sleep 1000}}, b: {{cmd: "true", oneshot: true}}}}
""")
    for _ in range(3):
        world.ctl("up").expect(0)
        equal({name: s["status"] for name, s in world.services().items()},
              {"box": "ready", "a": "ready", "b": "completed"}, "services")
        equal(world.status()["status"], "up", "status")
        world.ctl("down", "-t", "0").expect(0)


@scenario("X33: a process without depends_on waits for the containers' start, not for their health; with [] for nothing")
def after_containers(world):
    world.stack(f"""
services:
  slow:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    healthcheck: {{test: ["CMD", "test", "-e", "/t/healthy"], interval: 60s}}
    lifecycle: {{before_start: ["sleep 0.5; echo slow >> t/trace"]}}
owned:
  after: {{cmd: "touch t/healthy; exec sleep 1000", lifecycle: {{before_start: ["echo after >> t/trace"]}}}}
  once: {{cmd: exec sleep 1000, depends_on: [], lifecycle: {{before_start: ["echo once >> t/trace"]}}}}
""")
    world.ctl("up", limit=40).expect(0)
    equal(trace(world), ["once", "slow", "after"], "the order")


@scenario("L10.1: a port that is taken is not given, a fixed one is refused by name, and a stack keeps its ports")
def ports(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", world.ports))
        taken.listen()
        world.stack("owned: {a: {cmd: exec sleep 1000, port: {env: PORT}}, b: {cmd: exec sleep 1000, port: {env: PORT}}}\n")
        world.ctl("up").expect(0)
        given = {name: s["ports"][0]["host_port"] for name, s in world.services().items()}
        check(world.ports not in given.values() and len(set(given.values())) == 2, f"ports {given}")
        world.ctl("down").expect(0)
        world.ctl("up").expect(0)
        equal({name: s["ports"][0]["host_port"] for name, s in world.services().items()}, given, "ports of the second up")
        world.ctl("down").expect(0)
        world.stack(f"owned: {{a: {{cmd: exec sleep 1000, port: {{env: PORT, host_port: {world.ports}}}}}}}\n")
        world.ctl("up").expect(1, str(world.ports))


@scenario("logs -f follows a container and a process line by line")
def followed(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sh -c 'until [ -e /t/go ]; do sleep 0.05; done; echo from-box; sleep infinity'
    volumes: ["./t:/t"]
owned: {{proc: {{cmd: "while [ ! -e t/go ]; do sleep 0.05; done; echo from-proc; exec sleep 1000"}}}}
""")
    world.ctl("up").expect(0)
    client = world.spawn("logs", "-f")
    time.sleep(0.5)  # not for luck: it must be following, and nothing has been written yet
    world.file("stack/t/go", "")
    wait_until(lambda: all(word in world.read("spawned-0.log") for word in ("from-box", "from-proc")), "the last lines", limit=10)
    client.send_signal(signal.SIGINT)
    world.end_of(client)


@scenario("L10.4: a process's log is rotated; logs -f goes on across it, and logs reads the old ones", daemon=False)
def rotated(world):
    os.makedirs(world.path("user/.config/stackd"))
    world.file("user/.config/stackd/daemon.yaml", "service_log_size: 4096\nservice_logs_kept: 2\n")
    world.daemon.start()
    world.stack("""
owned:
  api:
    cmd: 'n=0; while [ $n -lt 200 ]; do n=$((n+1)); echo "line $n ........................"; done; until [ -e t/go ]; do sleep 0.05; done; echo after; exec sleep 1000'
""")
    world.ctl("up").expect(0)
    client = world.spawn("logs", "-f", "--tail", "1")
    stack = os.listdir(world.path("home/stacks"))[0]
    log = world.path("home/stacks", stack, "logs/api.log")
    wait_until(lambda: os.path.exists(log + ".1"), "the rotation", limit=20)
    world.file("stack/t/go", "")
    wait_until(lambda: "after" in world.read("spawned-0.log"), "the line after the rotation", limit=10)
    client.send_signal(signal.SIGINT)
    world.end_of(client)
    check("line 200" in world.read("spawned-0.log"), f"what was followed: {world.read('spawned-0.log')}")
    all_lines = world.ctl("logs", "api").expect(0).out
    equal((all_lines.count("line 1 "), all_lines.count("line 200 "), all_lines.count("after")), (1, 1, 1), "all lines")


@scenario("L10.4: a line that a run has left unfinished is a line; the next run's marker is not part of it, and is not shown")
def unfinished_line(world):
    world.stack('owned: {a: {cmd: "echo whole; printf half; exec sleep 1000"}}\n')
    world.ctl("up").expect(0)
    wait_until(lambda: "half" in world.ctl("logs").text, "the line")
    world.ctl("restart", "a").expect(0)
    wait_until(lambda: world.ctl("logs").text.count("half") == 2, "both lines")
    def lines(*arguments):
        """What was written; that of a boundary (X35) as it is."""
        return [line.split("|")[1].strip() if "|" in line else line for line in world.ctl("logs", *arguments).out.splitlines()]
    marks = [line for line in lines() if line.startswith("— a ")]
    check(marks, f"no boundary: {lines()}")
    equal([line for line in lines() if line not in marks], ["whole", "half"] * 2, "the lines")
    equal([line for line in lines("--tail", "1") if not line.startswith("— ")], ["half"], "--tail 1")


@scenario("logs --since takes a time or how long ago, of containers and of processes; what is neither is refused")
def since(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, init: true, command: "sh -c 'echo from box; exec sleep 1000'"}}
owned:
  a: {{cmd: "echo from a; exec sleep 1000"}}
""")
    world.ctl("up").expect(0)
    wait_until(lambda: "from box" in world.ctl("logs").text and "from a" in world.ctl("logs").text, "the lines")
    for recent in ("10m", "2020-01-01T00:00:00Z", "1577836800"):
        world.ctl("logs", "--since", recent).expect(0, "from box", "from a")
    for future in ("2099-01-01T00:00:00Z", "2099-01-01T01:00:00.5+01:00"):
        equal(world.ctl("logs", "--since", future).expect(0).text.strip(), "", f"since {future}")
    world.ctl("logs", "--since", "yesterday").expect(2, "since", "yesterday")
