"""What the scenarios stand on: a world of their own (directory, daemon, project names), the stackctl and stackd that were
built, the engine by its API, and waiting for things to happen. Standard library only."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("STACKD_BIN", os.path.join(ROOT, "build/release/bin"))
GUARD = os.environ.get("STACKD_E2E_GUARD", "")  # a library that tells of files on the control thread (tests/support/file_guard.cpp)
ENGINE_SH = os.path.join(ROOT, "tests/support/engine.sh")
# What the scenarios' containers are made of.
IMAGE = subprocess.run(["bash", "-c", f". {ENGINE_SH}; engine_busybox_name"], check=True, stdout=subprocess.PIPE,
                       text=True).stdout.strip()


class Failure(AssertionError):
    """A scenario's expectation that did not hold."""


def check(truth, what):
    if not truth:
        raise Failure(what)


def equal(got, expected, what):
    if got != expected:
        raise Failure(f"{what}: expected {expected!r}, got {got!r}")


def wait_until(predicate, what, limit=30):
    """The predicate's first true value; a failure after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {limit} s in vain for: {what}")
        time.sleep(0.02)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(path, method, target, body=None, timeout=60, raw=False):
    """(status, document or text) of one request over a Unix socket; bytes when they are wanted `raw`."""
    connection = UnixConnection(path, timeout)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, target, data, {"Content-Type": "application/json"} if data else {})
        response = connection.getresponse()
        text = response.read()
        if raw and response.status < 400:
            return response.status, text
        try:
            return response.status, json.loads(text) if text else None
        except ValueError:
            return response.status, text.decode("utf-8", "replace")
    finally:
        connection.close()


class Engine:
    """The Docker Engine, asked past stackd, so that the two can be compared."""

    def __init__(self):
        host = os.environ.get("STACKD_DOCKER_HOST") or os.environ.get("DOCKER_HOST") or ""
        self.socket = host[len("unix://"):] if host.startswith("unix://") else "/var/run/docker.sock"

    def call(self, method, path, body=None, good=(200, 201, 204, 304), raw=False):
        status, document = request(self.socket, method, "/v1.41" + path, body, raw=raw)
        if status not in good:
            raise Failure(f"engine: {method} {path}: {status} {document}")
        return document

    def _list(self, path, label):
        filters = urllib.parse.quote(json.dumps({"label": [label]}))
        return self.call("GET", f"{path}filters={filters}")

    def containers(self, project, service=None):
        label = f"com.docker.compose.project={project}"
        found = self._list("/containers/json?all=1&", label)
        if service:
            found = [c for c in found if c["Labels"].get("com.docker.compose.service") == service]
        return found

    def running(self, project, service=None):
        return [c for c in self.containers(project, service) if c["State"] == "running"]

    def networks(self, project):
        return self._list("/networks?", f"com.docker.compose.project={project}")

    def volumes(self, project):
        return self._list("/volumes?", f"com.docker.compose.project={project}")["Volumes"] or []

    def images(self, project):
        return self._list("/images/json?", f"com.docker.compose.project={project}")

    def hook_images(self, project):
        """Images with build hooks on them that were made for stacks of the project."""
        return [i for i in self._list("/images/json?", "dev.stackd.hooks")
                if i["Labels"].get("dev.stackd.stack", "").startswith(project + "-")]

    def inspect(self, container):
        return self.call("GET", f"/containers/{container}/json")

    def build(self, context, tag):
        """An image of a context (a tar file's bytes)."""
        connection = UnixConnection(self.socket, 120)
        try:
            connection.request("POST", f"/v1.41/build?version=1&t={tag}&rm=1", context, {"Content-Type": "application/x-tar"})
            said = connection.getresponse().read().decode()
        finally:
            connection.close()
        check("Successfully tagged" in said, f"engine: building {tag}: {said[-1000:]}")

    def run(self, project, command, volume=None, image=IMAGE):
        """Output of a command in a container of its own, with a volume at /v."""
        body = {"Image": image, "Cmd": command, "Labels": {"stackd.e2e": project}, "HostConfig": {}}
        if volume:
            body["HostConfig"]["Binds"] = [f"{volume}:/v"]
        made = self.call("POST", "/containers/create", body)["Id"]
        try:
            self.call("POST", f"/containers/{made}/start")
            self.call("POST", f"/containers/{made}/wait")
            return demultiplex(self.call("GET", f"/containers/{made}/logs?stdout=1&stderr=1", raw=True))
        finally:
            self.call("DELETE", f"/containers/{made}?force=1&v=1")

    def wipe(self, project):
        """Whatever is left of a project, when a scenario has failed half-way."""
        for container in self.containers(project):
            self.call("DELETE", f"/containers/{container['Id']}?force=1&v=1", good=(204, 404, 409))
        for network in self.networks(project):
            self.call("DELETE", f"/networks/{network['Id']}", good=(204, 404, 403, 409))
        for volume in self.volumes(project):
            self.call("DELETE", f"/volumes/{volume['Name']}", good=(204, 404, 409))
        for image in self.images(project) + self.hook_images(project):
            self.call("DELETE", f"/images/{image['Id']}?force=1", good=(200, 404, 409))


def demultiplex(data):
    """Text of the engine's framed output (stream, three zeros, length, payload)."""
    text, at = b"", 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4:at + 8], "big")
        text += data[at + 8:at + 8 + size]
        at += 8 + size
    return text.decode("utf-8", "replace")


class Result:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    @property
    def text(self):
        return self.out + self.err

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failure(f"{self}: no JSON document")

    def expect(self, code=0, *texts):
        if self.code != code:
            raise Failure(f"{self}: expected exit code {code}")
        for text in texts:
            if text not in self.text:
                raise Failure(f"{self}: expected {text!r} in it")
        return self

    def __str__(self):
        return f"{' '.join(self.command)} -> {self.code}\n{self.text.strip()[-3000:]}"


class Daemon:
    """A stackd of the world's own. It may be killed and started again; its home stays."""

    def __init__(self, world):
        self.world = world
        self.home = world.path("home")
        self.socket = os.path.join(world.short, "s")
        self.log = world.path("daemon.log")
        self.process = None

    def start(self, crash_at=None, environment=None, wait=True, options=()):
        env = dict(self.world.environment, **(environment or {}))
        program = "stackd"
        if crash_at:  # the shipped program cannot be told to die
            program, env["STACKD_CRASH_AT"] = "stackd-faulty", crash_at
        if GUARD:
            env["LD_PRELOAD"] = GUARD
        first = self.world.ports
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, program), "--port-range", f"{first}-{first + 49}", *options], env=env, cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if wait:
            wait_until(lambda: self.answers() or self.process.poll() is not None, "the daemon's socket")
            check(self.answers(), f"the daemon did not start:\n{self.tail()}")
        return self

    def answers(self):
        try:
            return request(self.socket, "GET", "/v1/ping", timeout=5)[0] == 200
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, limit=40):
        """Asks it to end. Its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the daemon did not end within {limit} s:\n{self.tail()}")

    def tail(self, lines=25):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def get(self, path):
        status, document = request(self.socket, "GET", path)
        check(status == 200, f"GET {path}: {status} {document}")
        return document


class World:
    """Everything one scenario uses. Leaves nothing behind, whatever the scenario did."""

    numbers = iter(range(1_000_000))
    lock = threading.Lock()
    open = []  # for a run that is ended from outside

    def __init__(self):
        with World.lock:
            number = next(World.numbers)
            World.open.append(self)
        self.project = f"e2e{os.getpid()}x{number}"
        self.ports = 12000 + (os.getpid() * 7 + number) % 380 * 50
        self.short = tempfile.mkdtemp(prefix="sd-", dir="/tmp")  # the path of a socket must be short
        self.base = os.path.join(self.short, "w")
        os.mkdir(self.base)
        self.engine = Engine()
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith(("STACKD_", "COMPOSE_", "XDG_"))}
        self.environment.update(HOME=self.path("user"), STACKD_HOME=self.path("home"),
                                STACKD_SOCKET=os.path.join(self.short, "s"), STACKD_AUTOSTART="0",
                                STACKD_DOCKER_HOST="unix://" + self.engine.socket, NO_COLOR="1")
        os.makedirs(self.environment["HOME"])
        self.daemon = Daemon(self)
        self.children = []

    def path(self, *parts):
        return os.path.join(self.base, *parts)

    def file(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self, name):
        return self.read(name).splitlines()

    def stack(self, text, name="stackd.yaml", directory="stack"):
        """Writes a stack file; @DIR@ in it is the stack's directory. `directory` is made with a `t` to write traces in."""
        path = self.path(directory)
        os.makedirs(os.path.join(path, "t"), exist_ok=True)
        os.chmod(os.path.join(path, "t"), 0o777)
        self.file(os.path.join(directory, name), text.replace("@DIR@", path))
        return path

    def command(self, *arguments, directory="stack", project=True):
        command = [os.path.join(BIN, "stackctl"), "-C", self.path(directory)]
        if project:
            command += ["-p", self.project]
        return command + list(arguments)

    def ctl(self, *arguments, directory="stack", project=True, limit=120, environment=None, text=""):
        command = self.command(*arguments, directory=directory, project=project)
        try:
            done = subprocess.run(command, env=dict(self.environment, **(environment or {})), cwd=self.base,
                                  input=text.encode(), capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{' '.join(command)}: did not end within {limit} s; it said:\n"
                          f"{(late.stdout or b'').decode()[-2000:]}\ndaemon:\n{self.daemon.tail()}")
        shown = ["stackctl"] + list(arguments)
        return Result(shown, done.returncode, done.stdout.decode("utf-8", "replace"),
                      done.stderr.decode("utf-8", "replace"))

    def spawn(self, *arguments, directory="stack", project=True):
        """A stackctl that runs beside the scenario, in a process group of its own as a terminal would have it."""
        out = open(self.path(f"spawned-{len(self.children)}.log"), "w+b")
        child = subprocess.Popen(self.command(*arguments, directory=directory, project=project), env=self.environment, cwd=self.base,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        child.output = out
        self.children.append(child)
        return child

    def end_of(self, child, limit=90):
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failure(f"a stackctl did not end within {limit} s\ndaemon:\n{self.daemon.tail()}")
        child.output.seek(0)
        return Result(["stackctl (beside)"], code, child.output.read().decode("utf-8", "replace"), "")

    def status(self, **where):
        """The stack's document."""
        return self.ctl("--json", "status", **where).expect(0).json()

    def operations(self, kind):
        """Of this kind, of all of the daemon's stacks, the newest first."""
        return [o for o in self.daemon.get("/v1/operations")["operations"] if o["kind"] == kind]

    def ended(self, kind):
        """The newest operation of this kind, once it has ended."""
        newest = self.operations(kind)[:1]
        return newest[0] if newest and newest[0]["state"] != "running" else None

    def services(self, **where):
        return {service["name"]: service for service in self.status(**where)["services"]}

    def hooks(self, **where):
        """Hook runs of the stack, oldest first (the API has the newest first)."""
        document = self.ctl("--json", "hooks", **where).expect(0).json()
        return list(reversed(document["hooks"]))

    def nothing_left(self, volumes=True):
        """Fails when the engine still has something of the world's project, or a shim of its still runs."""
        left = [f"container {c['Names']}" for c in self.engine.containers(self.project)]
        left += [f"network {n['Name']}" for n in self.engine.networks(self.project)]
        if volumes:
            left += [f"volume {v['Name']}" for v in self.engine.volumes(self.project)]
        left += [f"process {p}" for p in self.processes()]
        check(not left, f"left behind: {', '.join(left)}")

    def picture_is_right(self):
        """W10: once events are drained, what the daemon says is there is what the engine lists."""
        if self.daemon.process is None or self.daemon.process.poll() is not None or not self.daemon.answers():
            return

        def differences():
            found = []
            for stack in self.daemon.get("/v1/stacks")["stacks"]:
                said = {(c["id"], c["state"], c["name"]) for s in stack["services"] for c in s["containers"]}
                names = {s["name"] for s in stack["services"] if s["kind"] == "container"}
                listed = self.engine._list("/containers/json?all=1&", f"dev.stackd.stack={stack['id']}")
                there = {(c["Id"], c["State"], c["Names"][0].lstrip("/")) for c in listed
                         if c["Labels"].get("com.docker.compose.service") in names  # a build hook's has none
                         and "com.docker.compose.hook" not in c["Labels"]
                         and c["Labels"].get("com.docker.compose.oneoff") != "True"}
                found += [f"{stack['name']}: said {said - there}, there {there - said}"] if said != there else []
            return found

        try:
            wait_until(lambda: not differences(), "the picture", 5)
        except Failure:
            raise Failure(f"the picture is wrong: {differences()}")

    def processes(self):
        """Every living process that was started under this world, but for its daemon and clients."""
        own = {child.pid for child in self.children}
        if self.daemon.process:
            own.add(self.daemon.process.pid)
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) in own:
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                        continue
                cwd = os.readlink(f"/proc/{entry}/cwd")
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            except OSError:
                continue
            if cwd.startswith(self.base) or self.base in line:
                found.append(f"{entry} {line[:200]}")
        return found

    def close(self):
        with World.lock:
            if self not in World.open:
                return
            World.open.remove(self)
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
            child.output.close()
        try:
            if self.daemon.process and self.daemon.process.poll() is None:
                for stack in self.daemon.get("/v1/stacks")["stacks"]:
                    request(self.daemon.socket, "POST", f"/v1/stacks/{stack['id']}/down?wait=1",
                            {"volumes": True, "timeout": 0}, timeout=60)
        except (OSError, Failure):
            pass
        finally:
            if self.daemon.process and self.daemon.process.poll() is None:
                self.daemon.process.terminate()
                try:
                    self.daemon.process.wait(15)
                except subprocess.TimeoutExpired:
                    self.daemon.kill()
            for line in self.processes():
                try:
                    os.kill(int(line.split()[0]), signal.SIGKILL)
                except (OSError, ValueError):
                    pass
            self.engine.wipe(self.project)
            shutil.rmtree(self.short, ignore_errors=True)
