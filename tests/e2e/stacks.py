"""Stacks from up to down: what is started once, recreated, kept, scaled, and taken away."""

import os

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


def tokens(world):
    return world.lines("stack/t/trace")


PRE_START = """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    pre_start:
      - {command: sh -c 'echo A >> /t/trace'}
      - {command: sh -c 'echo B >> /t/trace', environment: {X: "${X:-1}"}}
""".replace("IMAGE", IMAGE)


@scenario("C4.2, T9, T10, T11, T12: pre_start runs in order, not again when nothing changed, again when the service does")
def pre_start_again(world):
    world.stack(PRE_START)
    world.ctl("up").expect(0)
    equal(tokens(world), ["A", "B"], "T9: the order")
    world.ctl("up").expect(0)
    equal(tokens(world), ["A", "B"], "T10: after an up with nothing to do")
    first = world.engine.running(world.project, "box")[0]["Id"]
    world.ctl("up", "--force-recreate").expect(0)
    equal(tokens(world), ["A", "B"] * 2, "T11: after --force-recreate")
    second = world.engine.running(world.project, "box")[0]["Id"]
    check(first != second, "the container was not recreated")
    world.ctl("up", environment={"X": "2"}).expect(0)
    equal(tokens(world), ["A", "B"] * 3, "T12: after a change of the hook's environment")
    check(world.engine.running(world.project, "box")[0]["Id"] != second, "C1.7: a changed hook recreates the container")


@scenario("C4.13, X3: stop and start of the same container does not run pre_start again; post_start it does (C3.5)")
def stop_and_start(world):
    world.stack(PRE_START + "    post_start: [{command: sh -c 'echo P >> /t/trace'}]\n")
    world.ctl("up").expect(0)
    world.ctl("stop", "-t", "1").expect(0)
    equal(world.status()["status"], "stopped", "status after stop")
    world.ctl("start").expect(0)
    equal(tokens(world), ["A", "B", "P", "P"], "what ran")
    equal(world.status()["status"], "up", "status after start")
    world.ctl("restart", "-t", "1").expect(0)
    equal(tokens(world), ["A", "B", "P", "P", "P"], "what ran with restart (C3.5, C4.12)")


@scenario("C4.3, C4.14, T13: pre_start once for a scaled service, not again when it grows; T15: per_replica once each")
def scaled(world):
    world.stack(PRE_START)
    world.ctl("up", "--scale", "box=2").expect(0)
    equal(tokens(world), ["A", "B"], "two replicas from the start")
    world.ctl("up", "--scale", "box=3").expect(0)
    equal(tokens(world), ["A", "B"], "a third one")
    equal(len(world.engine.running(world.project, "box")), 3, "replicas")
    world.ctl("up", "--scale", "box=1").expect(0)
    left = world.engine.running(world.project, "box")
    equal([c["Labels"]["com.docker.compose.container-number"] for c in left], ["1"], "the replica that is left")
    world.ctl("down").expect(0)
    world.file("stack/t/trace", "")
    os.chmod(world.path("stack/t/trace"), 0o666)
    world.stack(PRE_START.replace("{command: sh -c 'echo A", "{per_replica: true, command: sh -c 'echo A"))
    world.ctl("up", "--scale", "box=2").expect(0)
    equal(sorted(tokens(world)), ["A", "A", "B"], "T15: per_replica")


@scenario("T3, T6: pre_start fills a volume that the service reads, pre_stop writes to it before the stop")
def volumes(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sh -c 'cat /data/from-pre-start; sleep infinity'
    volumes: ["data:/data"]
    pre_start: [{{command: sh -c 'echo made-by-pre-start > /data/from-pre-start'}}]
    pre_stop: [{{command: sh -c 'echo flushed > /data/flushed'}}]
volumes: {{data: }}
""")
    world.ctl("up").expect(0)
    wait_until(lambda: "made-by-pre-start" in world.ctl("logs", "box").expect(0).out, "T6: the service's first line")
    world.ctl("stop", "-t", "1").expect(0)
    equal([c["State"] for c in world.engine.containers(world.project, "box")], ["exited"], "T3: state after stop")
    equal(world.engine.run(world.project, ["cat", "/v/flushed"], f"{world.project}_data").strip(), "flushed", "T3: the file")
    world.ctl("down").expect(0)
    equal(len(world.engine.volumes(world.project)), 1, "X13: volumes after down")
    world.ctl("up").expect(0)
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("T24, L5.4: down works from the snapshot when the stack file is gone, hooks and all")
def file_gone(world):
    world.stack(f"""
services: {{box: {{image: {IMAGE}, init: true, command: sleep infinity}}}}
owned: {{a: {{cmd: exec sleep 1000}}}}
lifecycle: {{before_down: ["echo before >> t/trace"], after_down: ["echo after >> t/trace"]}}
""")
    world.ctl("up").expect(0)
    os.unlink(world.path("stack/stackd.yaml"))
    world.ctl("down").expect(0)
    equal(tokens(world), ["before", "after"], "the down hooks")
    world.nothing_left()


@scenario("T28, L5.5: a process that ignores TERM and has grandchildren is gone after its grace, and so are they")
def stubborn(world):
    world.stack("""
owned:
  bad:
    cmd: trap '' TERM; (trap '' TERM; setsid sleep 983 & sleep 984) & sleep 982; sleep 981
    stop_grace_period: 1s
""")
    world.ctl("up").expect(0)
    wait_until(lambda: any("sleep 983" in line for line in all_processes()), "the grandchild")
    world.ctl("down", limit=30).expect(0)
    check(not any(f"sleep 98{n}" in line for line in all_processes() for n in (1, 2, 3, 4)), "a process is left")


def all_processes():
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    found.append(file.read().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                pass
    return found


@scenario("L3.7, L5.6: a oneshot runs to its end; its stop_cmd runs on down")
def oneshot(world):
    world.stack("""
owned:
  job: {cmd: "echo did >> t/trace", oneshot: true, stop_cmd: "echo undid >> t/trace"}
  next: {cmd: "echo next >> t/trace; exec sleep 1000", depends_on: [job]}
""")
    world.ctl("up").expect(0)
    equal(tokens(world), ["did", "next"], "the order")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0)
    equal(tokens(world), ["did", "next", "undid"], "after down")


@scenario("L3.4: what is captured from a log is there for those that depend on it")
def captured(world):
    world.stack("""
owned:
  tunnel:
    cmd: echo 'open at http://somewhere:1234/x'; exec sleep 1000
    ready_when: {log_match: "open at", capture: {url: "http://[^ ]+"}}
  user:
    cmd: exec sleep 1000
    depends_on: [tunnel]
    env: {URL: "${owned.tunnel.captured.url}"}
    lifecycle: {before_start: ['echo "$URL" >> t/trace']}
""")
    world.ctl("up").expect(0)
    equal(tokens(world), ["http://somewhere:1234/x"], "the captured value")


@scenario("T25, L8: profiles choose services and add hooks: top-level first on the way up, last on the way down")
def profiles(world):
    hooks = "\n".join(f"      {phase}: ['echo {{0}}-{phase} >> t/trace']" for phase in ("before_up", "before_down"))
    world.stack(f"""
owned: {{a: {{cmd: exec sleep 1000}}, b: {{cmd: exec sleep 1000}}}}
lifecycle:
{hooks.format("top").replace("      ", "  ")}
profiles:
  base:
    owned: [a]
    lifecycle:
{hooks.format("base")}
  full:
    extends: base
    owned: [b]
    lifecycle:
{hooks.format("full")}
""")
    world.ctl("up", "--profile", "full").expect(0)
    equal(sorted(world.services()), ["a", "b"], "services of the profile")
    world.ctl("down").expect(0)
    equal(tokens(world), ["top-before_up", "base-before_up", "full-before_up",
                          "full-before_down", "base-before_down", "top-before_down"], "the order")


@scenario("A compose.yaml runs as it is, with Compose's names and labels; the additions go under x-stackd")
def compose_file(world):
    world.stack(f"""
services:
  db:
    image: {IMAGE}
    init: true
    command: sleep infinity
    healthcheck: {{test: ["CMD", "true"], interval: 60s}}
  web:
    image: {IMAGE}
    init: true
    command: httpd -f -p 80
    ports: ["80"]
    depends_on: {{db: {{condition: service_healthy}}}}
    x-stackd: {{lifecycle: {{after_ready: ["echo web-ready >> t/trace"]}}}}
x-stackd: {{lifecycle: {{after_up: ["echo up >> t/trace"]}}}}
""", name="compose.yaml")
    world.ctl("up").expect(0)
    equal(tokens(world), ["web-ready", "up"], "the hooks")
    container = world.engine.running(world.project, "web")[0]
    equal(container["Names"], [f"/{world.project}-web-1"], "C9.2: the container's name")
    labels = container["Labels"]
    for label, value in (("project", world.project), ("service", "web"), ("container-number", "1"), ("oneoff", "False"),
                         ("project.working_dir", world.path("stack"))):
        equal(labels.get("com.docker.compose." + label), value, f"C9.4: label {label}")
    check(labels.get("com.docker.compose.config-hash"), "C9.5: a config-hash")
    check(labels.get("dev.stackd.stack", "").startswith(world.project + "-"), "the stack's id")
    check(any(network["Name"] == f"{world.project}_default" for network in world.engine.networks(world.project)),
          "the default network's name")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("A lich.yaml runs as it is")
def lich_file(world):
    world.stack("""
version: "1"
env: {GREETING: hi}
owned:
  api:
    cmd: exec busybox httpd -f -p 127.0.0.1:$PORT -h .
    port: {env: PORT}
    ready_when: {tcp: "${owned.api.port}"}
lifecycle:
  after_up: ['echo "$GREETING $LICH_WORKTREE" >> t/trace']
""", name="lich.yaml")
    world.ctl("up", project=False).expect(0)
    try:
        equal(tokens(world), ["hi stack"], "the environment of the hook")
    finally:
        world.ctl("down", project=False).expect(0)


@scenario("X30: when the engine restarts a container by its policy, post_start runs again and pre_start does not")
def engine_restarts(world):
    world.stack(PRE_START + "    restart: always\n    post_start: [{command: sh -c 'echo P >> /t/trace'}]\n")
    world.ctl("up").expect(0)
    box = world.engine.running(world.project, "box")[0]["Id"]
    pid = world.engine.inspect(box)["State"]["Pid"]
    os.kill(pid, 9)
    wait_until(lambda: tokens(world) == ["A", "B", "P", "P"], "post_start to run again", limit=20)


@scenario("config and graph show the resolved stack file")
def resolved(world):
    world.stack(f"services: {{db: {{image: {IMAGE}}}, web: {{image: {IMAGE}, depends_on: [db]}}}}\n")
    world.ctl("config").expect(0, "web", "db")
    world.ctl("graph").expect(0, "web", "db")


@scenario("A service that becomes a process of this machine, and a container again, is there once; down takes all")
def another_kind(world):
    other = f"  other: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity}}"
    container = f"""
services:
  work:
    image: {IMAGE}
    init: true
    command: sleep infinity
    ports: ["{world.ports + 7}:80"]
    volumes: ["./t:/t"]
    pre_stop: [{{command: sh -c 'echo pre_stop >> /t/trace'}}]
{other}
"""
    process = f"""
services:
{other}
owned:
  work:
    cmd: "exec busybox httpd -f -p $PORT -h ."
    port: {{env: PORT, host_port: {world.ports + 7}}}
    ready_when: {{tcp: "${{owned.work.port}}"}}
    stop_cmd: "echo stop_cmd >> t/trace"
"""
    for text in (container, process, container):
        world.stack(text)
        world.ctl("up").expect(0)
        work = world.services()["work"]
        equal(work["status"], "ready", "its status")
        equal(len(world.engine.containers(world.project, "work")), 1 if text == container else 0, "its containers")
        equal(len(world.processes()), 1 if text == process else 0, "its processes")
    equal(tokens(world), ["pre_stop", "stop_cmd"], "what ran when it became the other")
    world.stack(process)
    world.ctl("up", "other").expect(0)
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("L10.6: top shows processor and memory of each service, containers and processes, as text and JSON")
def top(world):
    spin = "while :; do :; done"
    world.stack(f"""
services:
  busy: {{image: {IMAGE}, init: true, network_mode: none, stop_grace_period: 0s, command: sh -c '{spin}'}}
  off: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity}}
owned:
  work: {{cmd: "({spin}) & exec sleep 1000"}}
""")
    world.ctl("up").expect(0)
    world.ctl("stop", "off").expect(0)
    services = {service["name"]: service for service in world.ctl("--json", "top").expect(0).json()["services"]}
    equal(list(services), ["busy", "off", "work"], "services")
    for name in ("busy", "work"):
        check(services[name]["cpu_percent"] > 5 and services[name]["memory_bytes"] > 0, f"{name}: {services[name]}")
    check("cpu_percent" not in services["off"] and not services["off"]["processes"], f"off: {services['off']}")
    equal(len(services["busy"]["containers"]), 1, "containers of busy")
    processes = services["work"]["processes"]
    equal(sorted(p["command"].split()[0] for p in processes), ["/bin/sh", "sleep"], "processes of work")
    check(services["work"]["pid"] in [p["pid"] for p in processes], f"its first process is not among {processes}")
    equal(sum(p["memory_bytes"] for p in processes), services["work"]["memory_bytes"], "memory of work")
    text = world.ctl("top").expect(0, "CPU", "MEMORY").out
    check(all("%" in line and "B " in line for line in text.splitlines() if line.startswith(("busy", "work"))), text)


@scenario("logs, urls, status and ls say what they should of a running stack")
def views(world):
    world.stack(f"""
env: {{GREETING: hello}}
services: {{web: {{image: {IMAGE}, init: true, command: httpd -f -v -p 80, ports: ["80"]}}}}
owned: {{talk: {{cmd: "echo first line; echo second line; exec sleep 1000", ready_when: {{log_match: second}}}}}}
""")
    world.ctl("up").expect(0)
    world.ctl("logs", "talk").expect(0, "first line", "second line")
    tail = world.ctl("logs", "--tail", "1", "talk").expect(0)
    check("first line" not in tail.out and "second line" in tail.out, f"--tail 1: {tail}")
    port = world.services()["web"]["ports"][0]["host_port"]
    world.ctl("urls").expect(0, str(port))
    world.ctl("status").expect(0, "web", "talk", str(port))
    world.ctl("ls").expect(0, world.project)
    world.ctl("version").expect(0)


@scenario("L10.3: a stack's status is what is left of it: services stopped or taken away one by one, of a stack that is up or has failed")
def status_of_the_rest(world):
    sleeper = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 0s"
    world.stack(f"""
services:
  a: {sleeper}}}
  b: {sleeper}, depends_on: [a]}}
""")
    world.ctl("up").expect(0)
    world.ctl("stop", "b").expect(0)
    equal(world.status()["status"], "up", "with one of two stopped on purpose")
    world.ctl("stop", "a").expect(0)
    equal(world.status()["status"], "stopped", "with both stopped, one after the other")
    world.ctl("start").expect(0)
    equal(world.status()["status"], "up", "started again")
    world.ctl("down", "a").expect(0)  # C10: its dependents too
    equal(world.status()["status"], "down", "with nothing left")
    world.stack(world.read("stack/stackd.yaml") + "lifecycle: {after_up: [exit 1]}\n")
    world.ctl("up", "--keep").expect(1)
    for command in ("stop", "down"):
        world.ctl(command, "b").expect(0)
        equal(world.status()["status"], "failed", f"of a failed stack after {command} of one service")
    world.ctl("down").expect(0)
    equal(world.status()["status"], "down", "after down")
    world.nothing_left()
