"""The picture of what is there: right at once, told with its cause, whoever changed it (semantics.md, part W)."""

import glob
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import time
import urllib.parse
from datetime import datetime

from harness import IMAGE, check, equal, wait_until
from own_engine import own_engine
from scenarios import scenario

STACK = f"""
services:
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL}}
  db:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_signal: SIGKILL
    healthcheck: {{test: "test ! -e /sick || {{ echo it is sick; false; }}", interval: 0.2s, retries: 1}}
owned: {{api: {{cmd: exec sleep 1000}}}}
"""


def told(world, service, after):
    """What was told of a service after a row: (from, to, cause) each."""
    return [(e["data"]["from"], e["data"]["to"], e["data"]["cause"]) for e in events(world, after)
            if e["kind"] == "service.status" and e["data"]["service"] == service]


def events(world, after):
    with sqlite3.connect(f"file:{world.daemon.home}/state.db?mode=ro", uri=True) as db:
        rows = db.execute("SELECT sequence, kind, data, at, operation_id FROM events WHERE sequence > ? ORDER BY sequence", (after,)).fetchall()
    return [{"sequence": r[0], "kind": r[1], "data": json.loads(r[2]), "at": r[3], "operation": r[4]} for r in rows]


def newest(world):
    found = events(world, 0)
    return found[-1]["sequence"] if found else 0


@scenario("W7: what somebody does to a container past stackd is told once, with its cause, and soon")
def past_stackd(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    ids = {name: world.services()[name].get("container") for name in ("web", "db")}
    engine = world.engine

    def act(do, service, expected, slow=0):
        row = newest(world)
        do()
        wait_until(lambda: len(told(world, service, row)) >= len(expected), f"{expected} of {service}; told {told(world, service, row)}", 10 + slow)
        time.sleep(0.1)  # nothing more comes of it
        equal(told(world, service, row), expected, f"what was told of {service}")
        if expected[0][2] == "operator":  # the engine's own time; 100 ms on a machine that does nothing else
            event = next(e for e in events(world, row) if e["kind"] == "service.status")
            late = event["at"] / 1000 - datetime.fromisoformat(event["data"]["since"].replace("Z", "+00:00")).timestamp()
            check(late < 0.5 or event["data"]["to"] == "ready", f"told {late} s late")

    post = lambda name, what: (lambda: engine.call("POST", f"/containers/{ids[name]}/{what}"))
    act(post("web", "pause"), "web", [("ready", "paused", "operator")])
    act(post("web", "unpause"), "web", [("paused", "ready", "operator")])
    act(post("web", "kill"), "web", [("ready", "exited", "operator")])
    exited = world.services()["web"]
    equal(exited["exit_code"], 137, "its exit code")
    check("SIGKILL" in exited["reason"], f"the reason: {exited['reason']}")
    act(post("web", "start"), "web", [("exited", "ready", "operator")])
    sick = {"Cmd": ["touch", "/sick"]}
    def make_sick():
        exec_id = engine.call("POST", f"/containers/{ids['db']}/exec", sick)["Id"]
        engine.call("POST", f"/exec/{exec_id}/start", {"Detach": True})
    act(make_sick, "db", [("ready", "unhealthy", "probe")], slow=5)
    check("it is sick" in world.services()["db"]["reason"], f"the reason: {world.services()['db'].get('reason')}")
    api = world.services()["api"]["pid"]
    act(lambda: os.kill(api, signal.SIGKILL), "api", [("ready", "exited", "process")])
    row = newest(world)
    engine.call("DELETE", f"/containers/{ids['web']}?force=1")
    wait_until(lambda: told(world, "web", row)[-1:] and told(world, "web", row)[-1][1] == "down", "web's removal to be told")
    world.ctl("down").expect(0)
    world.nothing_left()


def engine_time(engine, after, container, action):
    """When the engine says that it happened, in seconds."""
    filters = urllib.parse.quote(json.dumps({"event": [action]}))
    text = engine.call("GET", f"/events?since={after}&until={time.time() + 1:.3f}&filters={filters}", raw=True).decode()
    found = [json.loads(line) for line in text.splitlines() if line]
    ours = [e for e in found if container in (e["Actor"]["ID"], e["Actor"]["Attributes"].get("container"))]
    check(ours, f"the engine tells of no {action}: {text[-500:]}")
    return ours[-1]["timeNano"] / 1e9


@scenario("W7: a rename, a network that is left and joined, docker restart, memory that is used up, a killed shim: each told once, with its cause and reason, within 100 ms of the engine's own event")
def past_stackd_too(world):
    """100 ms is for a machine that does nothing else; here five times that is let pass."""
    os.makedirs(world.path("stack/t"))
    world.stack(f"""
services:
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL}}
  eats: {{image: {IMAGE}, mem_limit: 16m, memswap_limit: 16m, stop_signal: SIGKILL, volumes: ["./t:/t"],
         command: "sh -c 'while [ ! -e /t/eat ]; do sleep 0.05; done; exec tail /dev/zero'"}}
owned: {{api: {{cmd: exec sleep 1000}}}}
""")
    world.ctl("up").expect(0)
    engine, project = world.engine, world.project
    network = engine.networks(project)[0]["Id"]
    ids = {name: world.services()[name]["container"] for name in ("web", "eats")}
    late = []

    def act(do, service, action, expected, reason):
        time.sleep(0.3)
        row, begun = newest(world), time.time()
        do()
        wait_until(lambda: len(told(world, service, row)) >= len(expected), f"{action}: {expected} of {service}; told {told(world, service, row)}", 15)
        time.sleep(0.2)  # nothing more comes of it
        equal(told(world, service, row), expected, f"{action}: what was told of {service}")
        said = [e for e in events(world, row) if e["kind"] == "service.status"]
        check(reason in said[0]["data"].get("reason", ""), f"{action}: the reason: {said[0]}")
        if action:
            late.append((action, said[0]["at"] / 1000 - engine_time(engine, f"{begun - 1:.3f}", ids[service], action)))
            check(late[-1][1] < 0.5, f"told {late[-1]} s late")

    web = ids["web"]
    own = engine.inspect(web)["Name"][1:]
    there = [("ready", "ready", "operator")]
    act(lambda: engine.call("POST", f"/containers/{web}/rename?name={project}-other"), "web", "rename", there, f"is called '{project}-other'")
    act(lambda: engine.call("POST", f"/containers/{web}/rename?name={own}"), "web", "rename", there, "")
    act(lambda: engine.call("POST", f"/networks/{network}/disconnect", {"Container": web}), "web", "disconnect", there, "is not on network")
    check("is not on network" in world.ctl("status").out, "status does not say that a network was left")
    act(lambda: engine.call("POST", f"/networks/{network}/connect", {"Container": web}), "web", "connect", there, "")
    act(lambda: engine.call("POST", f"/containers/{web}/restart?t=0"), "web", "die", [("ready", "exited", "operator"), ("exited", "ready", "operator")], "SIGKILL")
    eats = lambda: world.file("stack/t/eat", "")
    act(eats, "eats", "die", [("ready", "exited", "engine")], "out of memory")
    with open(next(iter(glob.glob(f"{world.daemon.home}/stacks/*/runs/*/started.json"))), encoding="utf-8") as started:
        shim = json.load(started)["shim"]
    act(lambda: os.kill(shim, signal.SIGKILL), "api", "", [("ready", "exited", "process")], "gone without a word")
    print(f"       told after the engine's own event: {', '.join(f'{what} {s * 1000:.0f} ms' for what, s in late)}", flush=True)
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("W7: an engine that is restarted is lost and found once each, and each service's way down and up is told once", daemon=False)
def engine_restarts(world):
    with own_engine(world) as engine:
        world.stack(f"""
services:
  web: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity, stop_signal: SIGKILL}}
  db: {{image: {IMAGE}, init: true, network_mode: none, command: sleep infinity, stop_signal: SIGKILL}}
owned: {{api: {{cmd: exec sleep 1000}}}}
""")
        world.ctl("up").expect(0)
        time.sleep(0.5)
        row = newest(world)
        engine.stop()
        wait_until(lambda: world.services()["web"]["status"] == "unknown", "the engine's absence to be seen")
        engine.start()
        settled = lambda: world.status()["status"] == "up" and [o["state"] for o in world.operations("recover")] == ["succeeded"]
        wait_until(settled, "the stack to be back", 60)
        time.sleep(0.5)
        kinds = [e["kind"] for e in events(world, row) if e["kind"].startswith("engine.")]
        equal(kinds, ["engine.lost", "engine.found"], "what was told of the engine")
        equal(told(world, "api", row), [], "what was told of the process")
        for service in ("web", "db"):
            way = told(world, service, row)
            equal(way[-1][1], "ready", f"the end of {service}'s way {way}")
            check([step[1] for step in way].count("unknown") == 1, f"{service} was unknown once: {way}")
            check(all(a[1] == b[0] and b[0] != b[1] for a, b in zip(way, way[1:])), f"{service}'s way: {way}")
        world.ctl("down").expect(0)
        world.nothing_left()


@scenario("W8: what changed while no daemon ran is told by the next one, with cause found; the events lead to the picture")
def while_away(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    web = world.services()["web"]["container"]
    wait_until(lambda: any(e["kind"] == "service.status" and e["data"]["to"] == "ready" for e in events(world, 0)), "the first telling")
    time.sleep(0.2)
    row = newest(world)
    world.daemon.kill()
    world.engine.call("POST", f"/containers/{web}/kill")
    world.daemon.start()
    equal(world.services()["web"]["status"], "exited", "status, at once")
    wait_until(lambda: told(world, "web", row), "what was missed to be told")
    equal(told(world, "web", row), [("ready", "exited", "found")], "what was told of web")
    last = {}
    for event in events(world, 0):
        if event["kind"] == "service.status":
            last[event["data"]["service"]] = event["data"]["to"]
    equal(last, {name: s["status"] for name, s in world.services().items()}, "the events, played to their end")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("W7: a container that flaps is told of five times a second, then of its last change and how many there were")
def flapping(world):
    world.stack(f"services: {{web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL}}}}\n")
    world.ctl("up").expect(0)
    web = world.services()["web"]["container"]
    time.sleep(0.3)
    row = newest(world)
    for _ in range(25):
        world.engine.call("POST", f"/containers/{web}/pause")
        world.engine.call("POST", f"/containers/{web}/unpause")
        time.sleep(0.04)
    world.engine.call("POST", f"/containers/{web}/pause")
    wait_until(lambda: told(world, "web", row)[-1][1] == "paused" and world.services()["web"]["status"] == "paused", "the last to be told")
    time.sleep(1.2)
    found = [e for e in events(world, row) if e["kind"] == "service.status"]
    seconds = (found[-1]["at"] - found[0]["at"]) / 1000
    check(len(found) <= 5 * (seconds + 2), f"{len(found)} events in {seconds} s")
    equal(found[-1]["data"]["to"], "paused", "the last one")
    world.ctl("down").expect(0)


@scenario("wait: ready at once, what blocks when the time is out, a state to come; status --watch shows each change")
def waiting(world):
    world.stack(f"""
services:
  db:
    image: {IMAGE}
    init: true
    command: sleep infinity
    stop_signal: SIGKILL
    healthcheck: {{test: "test -e /there || {{ echo not yet; false; }}", interval: 0.2s, retries: 1000}}
""")
    up = world.spawn("up")
    wait_until(lambda: any(s["name"] == world.project for s in world.daemon.get("/v1/stacks")["stacks"]), "the stack")
    blocked = lambda: world.ctl("wait", "--timeout", "1s")
    wait_until(lambda: "healthcheck, try" in blocked().err, "the check to be tried")
    result = blocked()
    result.expect(1)
    check("db is starting" in result.err and "not yet" in result.err, f"what blocks: {result.err}")
    waiter = world.spawn("wait", "--for", "healthy", "db")
    db = next(c for c in world.engine.running(world.project))["Id"]
    exec_id = world.engine.call("POST", f"/containers/{db}/exec", {"Cmd": ["touch", "/there"]})["Id"]
    world.engine.call("POST", f"/exec/{exec_id}/start", {"Detach": True})
    world.end_of(up).expect(0)
    world.end_of(waiter).expect(0)
    watcher = world.spawn("status", "--watch")
    world.engine.call("POST", f"/containers/{db}/pause")
    world.ctl("wait", "--for", "stopped", "--timeout", "300ms").expect(1)
    world.engine.call("POST", f"/containers/{db}/unpause")
    world.ctl("wait", "--for", "ready").expect(0)
    world.ctl("down").expect(0)
    world.ctl("wait", "--for", "stopped").expect(0)
    time.sleep(0.3)
    watcher.send_signal(signal.SIGINT)
    shown = world.end_of(watcher).out
    for word in ("ready", "paused", "down"):
        check(word in shown, f"status --watch never showed {word}:\n{shown}")


@scenario("GET /v1/stacks: by directory; with the tag of an answer 304 until something changes")
def tags(world):
    world.stack("owned: {api: {cmd: exec sleep 1000}}\n")
    world.ctl("up").expect(0)
    time.sleep(0.3)
    def get(path, tag=None):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(world.daemon.socket)
        connection.request("GET", path, headers={"If-None-Match": tag} if tag else {})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, answer.getheader("ETag"), text

    stack = world.daemon.get("/v1/stacks")["stacks"][0]
    for path in ("/v1/stacks", f"/v1/stacks/{stack['id']}", f"/v1/stacks?directory={stack['directory']}"):
        status, tag, text = get(path)
        equal(status, 200, path)
        check(b'"api"' in text, path)
        equal(get(path, tag)[0], 304, f"{path} with its tag")
    equal(json.loads(get("/v1/stacks?directory=/nowhere")[2])["stacks"], [], "stacks of another directory")
    tag = get("/v1/stacks")[1]
    os.kill(stack["services"][0]["pid"], signal.SIGKILL)
    wait_until(lambda: get("/v1/stacks", tag)[0] == 200, "another answer")
    world.ctl("down").expect(0)


@scenario("W7, W10: random pauses, kills, restarts, renames, disconnections and removals past stackd, the daemon killed among them: what was told leads to the picture")
def random_events(world):
    """STACKD_EVENTS=1000 is for a person who waits; STACKD_EVENTS_SEED repeats one."""
    count = int(os.environ.get("STACKD_EVENTS", "60"))
    seed = int(os.environ.get("STACKD_EVENTS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
    dice = random.Random(seed)
    names = ["a", "b", "c", "d"]
    box = f"{{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL, restart: POLICY}}"
    world.stack("services:\n" + "".join(f"  {name}: {box.replace('POLICY', policy)}\n" for name, policy in zip(names, ("'no'", "'no'", "on-failure", "'no'")))
                + "owned: {p: {cmd: exec sleep 1000}}\n")
    world.ctl("up").expect(0)
    engine = world.engine
    network = engine.networks(world.project)[0]["Id"]
    good = (200, 201, 204, 304, 400, 403, 404, 409, 500)  # what is refused changes nothing

    def one():
        there = engine.containers(world.project)
        if not there or dice.random() < 0.02:
            return world.ctl("up").expect(0)
        chosen = dice.choice(there)["Id"]
        what = dice.choice(["pause", "unpause", "kill", "restart?t=0", "stop?t=0", "start", "start", "unpause", "rename", "disconnect", "connect", "remove", "daemon", "process"])
        if what == "rename":
            engine.call("POST", f"/containers/{chosen}/rename?name={world.project}-renamed-{dice.randrange(1 << 20)}", good=good)
        elif what in ("disconnect", "connect"):
            engine.call("POST", f"/networks/{network}/{what}", {"Container": chosen}, good=good)
        elif what == "remove":
            if dice.random() < 0.3:
                engine.call("DELETE", f"/containers/{chosen}?force=1", good=good)
        elif what == "daemon":
            if dice.random() < 0.5:
                world.daemon.kill()
                world.daemon.start()
        elif what == "process":
            pid = world.services()["p"].get("pid")
            if pid:
                os.kill(pid, signal.SIGKILL)
        else:
            engine.call("POST", f"/containers/{chosen}/{what}", good=good)
        return None

    for _ in range(count):
        one()
        if dice.random() < 0.3:
            time.sleep(dice.random() / 10)

    def last_told():
        last = {}
        for event in events(world, 0):
            if event["kind"] == "service.status":
                last[event["data"]["service"]] = event["data"]["to"]
        return last

    def agree():
        now = {name: service["status"] for name, service in world.services().items()}
        return {name: status for name, status in last_told().items() if name in now} == now

    wait_until(agree, f"seed {seed}: what was told, {last_told()}, to lead to {({n: s['status'] for n, s in world.services().items()})}", 20)
    engine_says = {c["Labels"]["com.docker.compose.service"]: c["State"] for c in engine.containers(world.project)}
    for name, state in engine_says.items():
        said = world.services()[name]["status"]
        check((said in ("ready", "running", "starting", "unhealthy")) == (state == "running") and (said == "paused") == (state == "paused"),
              f"seed {seed}: {name} is {state} and said to be {said}")
    world.ctl("down").expect(0)
    world.nothing_left()
