"""The REST API as any client may use it: over the Unix socket and over loopback TCP, without stackctl in between."""

import http.client
import json
import os
import socket
import stat
import subprocess
import threading
import time
import uuid

from harness import BIN, IMAGE, UnixConnection, check, equal, request, wait_until
from scenarios import scenario

PROCESS = """
owned: {a: {cmd: "echo one; echo two; exec sleep 1000"}}
lifecycle: {before_up: ["echo out; echo err >&2"]}
"""


def up(world, **fields):
    """The body of a request that brings the world's stack up."""
    environment = {"PATH": os.environ["PATH"], "HOME": world.environment["HOME"]}
    return dict({"directory": world.path("stack"), "project_name": world.project, "environment": environment}, **fields)


def ask(world, method, target, body=None, headers=None):
    """(status, headers, body) over the Unix socket."""
    connection = UnixConnection(world.daemon.socket)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, target, data, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def events(world, target, last=None, limit=None):
    """(id, kind, data) of an event stream, until it ends or `limit` came."""
    connection = UnixConnection(world.daemon.socket, timeout=30)
    try:
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        equal(answer.status, 200, f"status of {target}")
        equal(answer.getheader("Content-Type"), "text/event-stream", "media type of an event stream")
        found, fields = [], {}
        for line in answer:
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                if "id" in fields:  # the others are passing notes
                    found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
                fields = {}
                if limit is not None and len(found) >= limit:
                    break
            else:
                fields = {}
        return found
    finally:
        connection.close()


@scenario("REST: what every client can ask about the daemon: ping, version, info, schema, metrics")
def about_the_daemon(world):
    equal(world.daemon.get("/v1/ping"), {"ok": True}, "ping")
    version = world.daemon.get("/v1/version")
    equal(version["api_version"], "1", "the API's version")
    check(version["engine_version"] and version["engine_api_version"], f"no version of the engine in {version}")
    info = world.daemon.get("/v1/info")
    equal((info["home"], info["socket"], info["stacks"]), (world.path("home"), world.daemon.socket, 0), "info")
    check("properties" in world.daemon.get("/v1/schema"), "the schema describes nothing")
    status, headers, text = ask(world, "GET", "/metrics")
    equal(status, 200, "status of /metrics")
    check(headers["content-type"].startswith("text/plain"), "media type of /metrics")
    for name in ("stackd_info", "stackd_stacks", "stackd_operations_running", "stackd_engine_up"):
        check(f"\n{name}" in text and f"# TYPE {name} " in text, f"no {name} in /metrics")


@scenario("REST: errors are problem documents with a stable code")
def problems(world):
    world.stack(PROCESS)
    world.file("wrong/stackd.yaml", "services: {web: {imagee: x}}\n")
    wanted = [("GET", "/v1/nothing", None, 404, "not-found"), ("GET", "/v1/stacks/none", None, 404, "not-found"),
              ("GET", "/v1/operations/none", None, 404, "not-found"), ("GET", "/v1/hooks/none/log", None, 404, "not-found"),
              ("PUT", "/v1/stacks", None, 405, "invalid-request"), ("POST", "/v1/stacks", {}, 400, "invalid-request"),
              ("POST", "/v1/stacks", up(world, profil="x"), 400, "invalid-request"),
              ("POST", "/v1/stacks", up(world, directory=world.path("wrong")), 422, "invalid-stack-file"),
              ("POST", "/v1/stacks", up(world, options={"pull": "sometimes"}), 400, "invalid-request"),
              ("GET", "/v1/operations?limit=many", None, 400, "invalid-request")]
    for method, target, body, status, code in wanted:
        got, headers, text = ask(world, method, target, body)
        problem = json.loads(text)
        equal((got, problem.get("status"), problem.get("code")), (status, status, code), f"{method} {target} {body}")
        equal(headers["content-type"], "application/problem+json", f"media type of {method} {target}")
        check(problem["title"] and problem["detail"], f"{method} {target} does not say what is wrong: {text}")
    wrong = json.loads(ask(world, "POST", "/v1/validate", up(world, directory=world.path("wrong")))[2])
    equal((wrong["valid"], wrong["directory"], wrong["format"], wrong["files"]),
          (False, world.path("wrong"), "stackd", [world.path("wrong/stackd.yaml")]), "what was validated, and found wrong")


@scenario("REST: 202 with the operation and where it is; with wait=1 200 with its end; DELETE forgets what is down")
def wishes(world):
    world.stack(PROCESS)
    status, headers, text = ask(world, "POST", "/v1/stacks", up(world))
    operation = json.loads(text)
    equal((status, headers["location"]), (202, f"/v1/operations/{operation['id']}"), "an up's answer")
    wait_until(lambda: world.daemon.get(headers["location"])["state"] != "running", "the up's end")
    ended = world.daemon.get(headers["location"])
    equal((ended["state"], ended["kind"], ended["warnings"]), ("succeeded", "up", []), "the operation")
    check(ended["steps"] and all(step["state"] in ("done", "skipped") for step in ended["steps"]), "its steps")
    stack = world.daemon.get(f"/v1/stacks/{operation['stack']}")
    equal((stack["status"], stack["last_operation"]["id"]), ("up", operation["id"]), "the stack")
    equal(ask(world, "DELETE", f"/v1/stacks/{stack['id']}")[0], 409, "forgetting a stack that is up")
    status, _, text = ask(world, "POST", f"/v1/operations/{operation['id']}/cancel")
    equal((status, json.loads(text)["code"]), (409, "conflict"), "cancelling what has ended")
    status, _, text = ask(world, "POST", f"/v1/stacks/{stack['id']}/down?wait=1", {})
    equal((status, json.loads(text)["state"]), (200, "succeeded"), "a down that was waited for")
    equal(ask(world, "DELETE", f"/v1/stacks/{stack['id']}")[0], 204, "forgetting a stack that is down")
    equal(world.daemon.get("/v1/stacks"), {"stacks": []}, "the stacks that are left")
    check(not os.path.exists(world.path("home/stacks", stack["id"])), "its logs are still there")


@scenario("REST: a wish that is sent twice under one Idempotency-Key is done once, also across kill -9")
def sent_twice(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["echo up >> t/trace"]}
""")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = json.loads(ask(world, "POST", "/v1/stacks?wait=1", up(world), key)[2])
    world.daemon.kill()
    world.daemon.start()
    again = json.loads(ask(world, "POST", "/v1/stacks?wait=1", up(world), key)[2])
    equal((again["id"], again["state"]), (first["id"], "succeeded"), "the same wish again")
    equal(world.lines("stack/t/trace"), ["up"], "runs of its hook")
    another = json.loads(ask(world, "POST", "/v1/stacks?wait=1", up(world), {"Idempotency-Key": uuid.uuid4().hex})[2])
    check(another["id"] != first["id"], "another wish is another operation")
    status, _, text = ask(world, "POST", f"/v1/stacks/{first['stack']}/stop?wait=1", {}, key)
    equal((status, json.loads(text)["code"]), (400, "invalid-request"), "another kind of wish under a key that was used")
    world.stack(PROCESS, directory="other")
    status, _, text = ask(world, "POST", "/v1/stacks", up(world, directory=world.path("other")), key)
    equal((status, json.loads(text)["code"]), (400, "invalid-request"), "another stack under a key that was used")
    equal(world.status()["status"], "up", "the stack that was not stopped")


@scenario("REST: an event stream goes on after Last-Event-ID without loss, also across kill -9")
def events_resume(world):
    world.stack(PROCESS)
    operation = json.loads(ask(world, "POST", "/v1/stacks?wait=1", up(world))[2])
    target = f"/v1/operations/{operation['id']}/events"
    everything = events(world, target)
    kinds = [kind for _, kind, _ in everything]
    equal((kinds[0], kinds[-1]), ("operation.started", "operation.ended"), "the first and the last event")
    check(all(data["sequence"] == number and data["stack"] == operation["stack"] for number, _, data in everything),
          "an event's own number and stack are those of its line")
    begun = events(world, target, limit=3)
    world.daemon.kill()
    world.daemon.start()
    equal(begun + events(world, target, last=begun[-1][0]), everything, "the stream in two parts")
    equal(events(world, f"/v1/events?operation={operation['id']}", last=0, limit=len(everything)), everything,
          "the journal's part of it")
    equal(events(world, f"/v1/events?operation={operation['id']}", last=10**12, limit=len(everything)), everything,
          "after a number of another journal, one that is gone")


@scenario("REST: a hook's log can be followed while it runs, to its end")
def hook_log(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["echo first; while [ ! -e t/go ]; do sleep 0.02; done; echo last"]}
""")
    operation = json.loads(ask(world, "POST", "/v1/stacks", up(world))[2])
    hooks = f"/v1/stacks/{operation['stack']}/hooks"
    run = wait_until(lambda: world.daemon.get(hooks)["hooks"], "the hook to begin")[0]
    equal((run["state"], run["phase"], run["index"], run["place"]), ("running", "before_up", 0, "host"), "the run")
    connection = UnixConnection(world.daemon.socket, timeout=30)
    connection.request("GET", f"/v1/hooks/{run['id']}/log?follow=1")
    answer = connection.getresponse()
    lines = [answer.readline()]
    world.file("stack/t/go", "")
    lines += list(answer)
    connection.close()
    equal(b"".join(lines[-2:]), b"first\nlast\n", "the last lines of the log that was followed")
    ended = world.daemon.get(hooks)["hooks"][0]
    equal((ended["state"], ended["exit_code"]), ("succeeded", 0), "the run's end")
    equal(ask(world, "GET", f"/v1/hooks/{run['id']}/log")[2].encode(), b"".join(lines), "the log afterwards")


@scenario("REST: the log of a pre_start is there, and can be followed, while it runs")
def pre_start_log(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    network_mode: none
    command: sleep infinity
    volumes: ["./t:/t"]
    pre_start:
      - command: sh -c 'echo first; while [ ! -e /t/go ]; do sleep 0.05; done; printf last'
""")
    operation = json.loads(ask(world, "POST", "/v1/stacks", up(world))[2])
    hooks = f"/v1/stacks/{operation['stack']}/hooks"
    run = wait_until(lambda: world.daemon.get(hooks)["hooks"], "the hook to begin")[0]
    log = f"/v1/hooks/{run['id']}/log"
    wait_until(lambda: ask(world, "GET", log)[2] == "first\n", "what it has said so far")
    connection = UnixConnection(world.daemon.socket, timeout=30)
    connection.request("GET", log + "?follow=1")
    answer = connection.getresponse()
    lines = [answer.readline()]
    world.file("stack/t/go", "")
    lines += list(answer)
    connection.close()
    equal(b"".join(lines), b"first\nlast", "the log that was followed")
    equal(world.daemon.get(hooks)["hooks"][0]["stdout_tail"], "first\nlast", "the record's tail")
    world.ctl("down", "-t", "0").expect(0)


@scenario("REST: each run keeps its own log, of replicas too; the hook's log is the newest run's")
def own_logs(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    network_mode: none
    scale: 2
    command: sleep infinity
    hooks: {{pre_run: hostname}}
    post_start: [{{command: sh -c 'echo begin; sleep 0.3; hostname'}}]
    pre_stop: [{{command: sh -c 'echo begin; sleep 0.3; hostname'}}]
""")
    world.ctl("up").expect(0)
    world.ctl("stop", "-t", "0").expect(0)
    names = {c["Id"]: c["Id"][:12] for c in world.engine.containers(world.project, "box")}
    world.ctl("start").expect(0)
    seen = [run for run in world.hooks() if run["state"] == "succeeded"]
    equal(sorted(run["phase"] for run in seen), ["post_start"] * 4 + ["pre_run"] * 4 + ["pre_stop"] * 2, "the runs")
    for run in seen:
        said = "" if run["phase"] == "pre_run" else "begin\n"
        equal(ask(world, "GET", f"/v1/hooks/{run['id']}/log")[2], f"{said}{names[run['container']]}\n", f"the log of {run}")
    with open(seen[0]["log"], encoding="utf-8") as log:
        check(log.read().strip().split()[-1] in names.values(), "the hook's log")
    equal(len({run["log"] for run in seen}), 3, "hooks' logs")
    world.ctl("down", "-t", "0").expect(0)


@scenario("REST: service logs by service, tail and time, with timestamps, and followed")
def service_logs(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, init: true, network_mode: none, command: "sh -c 'echo one; echo two >&2; exec sleep 1000'"}}
owned: {{a: {{cmd: "echo three; echo four; while [ ! -e t/go ]; do sleep 0.02; done; echo five; exec sleep 1000"}}}}
""")
    world.ctl("up").expect(0)
    logs = f"/v1/stacks/{world.status()['id']}/logs"
    lines = wait_until(lambda: (got := ask(world, "GET", logs)[2].splitlines()) and len(got) == 4 and got, "four lines")
    equal(sorted(line.split(" | ")[1] for line in lines), ["four", "one", "three", "two"], "all lines")
    equal([line.split(" | ")[1] for line in ask(world, "GET", logs + "?service=a&tail=1")[2].splitlines()], ["four"],
          "the last line of one service")
    stamped = json.loads(ask(world, "GET", logs + "?service=box&tail=1&timestamps=1&format=json")[2])
    check(stamped["at"].startswith("20") and stamped["stream"] in ("stdout", "stderr"), f"a line with its time: {stamped}")
    equal(ask(world, "GET", logs + "?service=box&since=2100-01-01T00:00:00Z")[2], "", "lines since a time to come")
    equal(ask(world, "GET", logs + "?service=none")[0], 404, "logs of a service that is not there")
    connection = UnixConnection(world.daemon.socket, timeout=30)
    connection.request("GET", logs + "?service=a&tail=1&follow=1")
    answer = connection.getresponse()
    followed = [answer.readline()]
    world.file("stack/t/go", "")
    followed.append(answer.readline())
    connection.close()
    equal([line.decode().split(" | ")[1].strip() for line in followed], ["four", "five"], "lines that were followed")


@scenario("REST: loopback TCP needs the token and a loopback Host; stackctl --host uses it")
def over_tcp(world):
    os.makedirs(world.path("stack"), exist_ok=True)
    world.daemon.stop()
    world.file("home/token", "a" * 64 + "\n")
    os.chmod(world.path("home"), 0o755)
    port = world.ports + 49
    world.daemon.start(environment={"STACKD_LISTEN": f"127.0.0.1:{port}"})
    token_file = world.path("home/token")
    equal(stat.S_IMODE(os.stat(token_file).st_mode), 0o600, "mode of the token's file")
    equal(stat.S_IMODE(os.stat(world.path("home")).st_mode), 0o700, "mode of the home")
    equal(stat.S_IMODE(os.stat(world.daemon.socket).st_mode), 0o600, "mode of the socket")
    with open(token_file, encoding="utf-8") as file:
        token = file.read().strip()

    def get(headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/v1/info", headers=headers)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    right = {"Authorization": f"Bearer {token}"}
    status, headers = get(right)
    equal(status, 200, "with the token")
    check(not any(name.startswith("access-control-") for name in headers), "there is no CORS")
    equal(get({})[0], 401, "without a token")
    equal(get({"Authorization": "Bearer " + "0" * len(token)})[0], 401, "with a wrong token")
    equal(get(dict(right, Host="evil.example"))[0], 403, "with the Host of a rebound name")
    equal(get(dict(right, Host=f"localhost:{port}"))[0], 200, "with localhost as Host")
    host = f"http://127.0.0.1:{port}"
    world.ctl("--host", host, "--json", "ls").expect(0)
    world.ctl("--host", host, "ls", environment={"STACKD_TOKEN": "wrong"}).expect(2, "the token is wrong")


@scenario("REST: stackctl --host takes loopback in both families, and sends the token nowhere else")
def loopback_only(world):
    os.makedirs(world.path("stack"), exist_ok=True)
    world.daemon.stop()
    port = world.ports + 49
    address = "[::1]" if os.path.exists("/proc/net/if_inet6") else "127.0.0.2"
    world.daemon.start(environment={"STACKD_LISTEN": f"{address}:{port}"})
    world.ctl("--host", f"http://{address}:{port}", "--json", "ls").expect(0)
    world.ctl("--host", f"http://localhost.example:{port}", "ls").expect(2, "loopback only", "ssh -L")


@scenario("REST: a loopback TCP socket that the service manager passes needs the token, too")
def passed_tcp(world):
    os.makedirs(world.path("stack"), exist_ok=True)
    world.daemon.stop()
    passed = socket.create_server(("127.0.0.1", 0))
    port = passed.getsockname()[1]
    # Socket activation: descriptor 3, and the number of the process that may take it.
    daemon = subprocess.Popen(
        ["sh", "-c", f"exec 3<&{passed.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec {os.path.join(BIN, 'stackd')}"],
        env=world.environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[passed.fileno()],
        stderr=open(world.path("passed.log"), "wb"), start_new_session=True)
    world.children.append(daemon)
    daemon.output = passed  # closed with it
    wait_until(lambda: world.read("home/token") or daemon.poll() is not None, "the token's file")
    world.ctl("--host", f"http://127.0.0.1:{port}", "--json", "ls").expect(0)
    world.ctl("--host", f"http://127.0.0.1:{port}", "ls", environment={"STACKD_TOKEN": "wrong"}).expect(2, "token")
    daemon.terminate()
    equal(daemon.wait(20), 0, f"the daemon's end: {world.read('passed.log')}")


@scenario("REST: a hundred questions at once while an operation runs are all answered")
def many_at_once(world):
    world.stack(PROCESS)
    failures = []

    def questions():
        for target in ("/v1/stacks", "/v1/info", "/v1/operations", "/v1/ping") * 5:
            status, _ = request(world.daemon.socket, "GET", target)
            if status != 200:
                failures.append((target, status))

    threads = [threading.Thread(target=questions) for _ in range(5)]
    for thread in threads:
        thread.start()
    world.ctl("up").expect(0)
    for thread in threads:
        thread.join()
    equal(failures, [], "questions that were not answered")
    began = time.monotonic()
    world.daemon.get("/v1/stacks")
    check(time.monotonic() - began < 5, "a question took seconds")
