"""Images of private registries: logins of the caller's config.json and of the programs that keep them, what a refused pull
says, faults that pass. The registry is Debian's docker-registry on loopback, with htpasswd."""

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import threading
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

PASSWORD = "s3cret-of-ann"


class Registry:
    """A registry that lets `ann` in, and a door before it that may misbehave first. Its image is `app`."""

    def __init__(self, world):
        self.world = world
        self.base = world.path("registry")
        os.makedirs(self.base)
        with open(os.path.join(self.base, "htpasswd"), "wb") as file:
            file.write(subprocess.run(["htpasswd", "-Bbn", "ann", PASSWORD], check=True, stdout=subprocess.PIPE).stdout)
        self.port = free_port()
        config = world.file("registry/config.yml", f"""
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {self.base}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{self.port}"}}
auth: {{htpasswd: {{realm: stackd, path: {self.base}/htpasswd}}}}
""")
        with open(os.path.join(self.base, "log"), "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_until(self.answers, "the registry")
        self.host = f"127.0.0.1:{self.port}"
        self.image = f"{self.host}/app:1"

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 401
        except OSError:
            return False

    def fill(self, host=None):
        """Puts the image there by the engine, and takes it away from the engine."""
        name = f"{host or self.host}/app"
        auth = base64.urlsafe_b64encode(json.dumps({"username": "ann", "password": PASSWORD}).encode()).decode()
        engine = self.world.engine
        engine.call("POST", f"/images/{IMAGE}/tag?repo={name}&tag=1", good=(201,))
        connection = engine_connection(engine)
        connection.request("POST", f"/v1.41/images/{name}/push?tag=1", headers={"X-Registry-Auth": auth})
        said = connection.getresponse().read().decode()
        connection.close()
        check('"error"' not in said, f"the push said {said[-500:]}")
        engine.call("DELETE", f"/images/{name}:1", good=(200,))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Door:
    """In front of a registry: the first answers are its own, later ones the registry's. Counts what was asked for."""

    def __init__(self, registry, answers):
        self.left, self.asked, self.pulls = list(answers), [], []  # pulls: when each began
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            default_request_version = "HTTP/1.1"  # what is no HTTP (a client that tries TLS first) is answered in HTTP

            def do_GET(self):
                door.asked.append(self.path)
                if self.path == "/v2/":
                    door.pulls.append(time.monotonic())
                if door.left and "/manifests/" in self.path:
                    return door.left.pop(0)(self)
                there = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=30)
                there.request(self.command, self.path, headers={
                    k: ", ".join(self.headers.get_all(k)) for k in self.headers if k != "Host"})
                answer = there.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if self.command == "GET" else answer.getheader("Content-Length", "0")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def too_many(handler):
    body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "retry-after: 1500ms, allowed: 1/minute"}]}).encode()
    handler.send_response(429)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(body)


def cut(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()
    handler.close_connection = True


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def engine_connection(engine):
    from harness import UnixConnection
    return UnixConnection(engine.socket, 60)


@contextlib.contextmanager
def registry(world):
    there = Registry(world)
    try:
        yield there
    finally:
        there.stop()
        world.engine.call("DELETE", f"/images/{there.image}?force=1", good=(200, 404, 409))


def log_in(world, host, text):
    entry = base64.b64encode(text.encode()).decode()
    world.file("user/.docker/config.json", json.dumps({"auths": {host: {"auth": entry}}}))


def helper(world, name, script, **config):
    path = world.file(f"bin/docker-credential-{name}", "#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    world.environment["PATH"] = world.path("bin") + ":" + world.environment["PATH"]
    world.file("user/.docker/config.json", json.dumps(config))


def stack_of(world, image, extra=""):
    world.stack(f"services:\n  app:\n    image: {image}\n    init: true\n    command: sleep infinity\n{extra}")


def nowhere(world, *secrets):
    """No file of the daemon's, its database, logs and events among them, has any of these; but for that which is for them."""
    for secret in secrets:
        for word in (secret, base64.b64encode(f"ann:{secret}".encode()).decode().rstrip("=")):
            found = subprocess.run(["grep", "-rlaF", "--exclude=withheld.json", word, world.daemon.home, world.daemon.log], stdout=subprocess.PIPE, text=True)
            equal(found.stdout, "", f"files with {word}")


@scenario("a private image is pulled with the login of the caller's config.json, and without one it is said what to do")
def private_pull(world):
    with registry(world) as there:
        there.fill()
        stack_of(world, there.image)
        world.ctl("up").expect(1, "no basic auth credentials", f"registry {there.host}, asked without a login",
                               f"`docker login {there.host}` makes one")
        log_in(world, there.host, "ann:wrong")
        world.ctl("up").expect(1, "asked as 'ann' of", "user/.docker/config.json", f"`docker login {there.host}` renews it")
        log_in(world, there.host, f"ann:{PASSWORD}")
        world.ctl("up").expect(0)
        equal(len(world.engine.running(world.project)), 1, "containers of the private image")
        nowhere(world, PASSWORD, "wrong")
        world.ctl("down", "-t", "0").expect(0)


@scenario("a credential helper's login is asked for at each pull, its failure is told, and one that hangs is ended")
def helpers(world):
    with registry(world) as there:
        there.fill()
        stack_of(world, there.image, "    pull_policy: always\n")
        helper(world, "vault", "echo 'the vault is locked' >&2; exit 2", credHelpers={there.host: "vault"})
        world.ctl("up").expect(1, "docker-credential-vault: it ended with status 2: the vault is locked")
        world.file("bin/docker-credential-vault", f"""#!/bin/sh
echo asked >> {world.path('asked')}
read host; printf '{{"ServerURL":"%s","Username":"ann","Secret":"{PASSWORD}"}}' "$host"
""")
        world.ctl("up").expect(0)
        equal(world.lines("asked"), ["asked"], "how often the helper was asked")
        # The daemon that comes back has nothing of it, and asks again.
        world.daemon.kill()
        world.daemon.start()
        world.ctl("up", "--force-recreate").expect(0)
        equal(world.lines("asked"), ["asked", "asked"], "how often the helper was asked")
        nowhere(world, PASSWORD)
        world.ctl("down", "-t", "0").expect(0)


@scenario("too many requests and a cut connection are tried again, after the time that the registry asks for")
def passing_faults(world):
    with registry(world) as there:
        there.fill()
        # The engine asks twice in one try, by name and by digest's head.
        door = Door(there, [too_many, too_many, cut, cut])
        image = f"{door.host}/app:1"
        try:
            log_in(world, door.host, f"ann:{PASSWORD}")
            stack_of(world, image)
            world.ctl("up").expect(0)
            equal(len(door.left), 0, "answers of the door's own that are left")
            pauses = [later - before for before, later in zip(door.pulls, door.pulls[1:])]
            check(pauses[0] >= 1.5, f"the delay that the registry asked for was kept: {pauses}")
            check(pauses[1] >= 2, f"the second pause is longer: {pauses}")
            world.ctl("down", "-t", "0").expect(0)
        finally:
            door.close()
            world.engine.call("DELETE", f"/images/{image}?force=1", good=(200, 404, 409))


@scenario("one image that several services have is asked for once")
def one_pull(world):
    with registry(world) as there:
        there.fill()
        door = Door(there, [])
        image = f"{door.host}/app:1"
        try:
            log_in(world, door.host, f"ann:{PASSWORD}")
            world.stack("services:\n" + "".join(
                f"  s{i}: {{image: {image}, init: true, command: sleep infinity}}\n" for i in range(4)))
            world.ctl("up").expect(0)
            equal(len(door.pulls), 1, f"pulls, of {door.asked}")
            world.ctl("down", "-t", "0").expect(0)
        finally:
            door.close()
            world.engine.call("DELETE", f"/images/{image}?force=1", good=(200, 404, 409))


@scenario("the engine is the current context's when nobody names one, and info and daemon status say which and why", daemon=False)
def which_engine(world):
    socket_path = world.engine.socket
    world.daemon.start()
    info = world.daemon.get("/v1/info")
    equal((info["engine_host"], info["engine_chosen_by"]), (f"unix://{socket_path}", "STACKD_DOCKER_HOST"), "the engine that is named")
    world.daemon.stop()
    world.environment.pop("STACKD_DOCKER_HOST")
    world.environment.pop("DOCKER_HOST", None)
    os.symlink(socket_path, world.path("mine.sock"))
    digest = hashlib.sha256(b"mine").hexdigest()
    world.file(f"user/.docker/contexts/meta/{digest}/meta.json",
               json.dumps({"Name": "mine", "Endpoints": {"docker": {"Host": f"unix://{world.path('mine.sock')}"}}}))
    world.file("user/.docker/config.json", json.dumps({"currentContext": "mine"}))
    world.daemon.start()
    info = world.daemon.get("/v1/info")
    equal((info["engine_host"], info["engine_state"]), (f"unix://{world.path('mine.sock')}", "reachable"), "the context's engine")
    world.stack("services: {}\n")
    world.ctl("daemon", "status").expect(0, "mine.sock (", "by the context 'mine' of ")


@scenario("build, pull and push are of images alone, also of a stack that was never up; what is pushed is pulled")
def commands(world):
    with registry(world) as there:
        image = f"{there.host}/made:1"
        log_in(world, there.host, f"ann:{PASSWORD}")
        world.stack(f"""
services:
  app:
    image: {image}
    build: {{context: ., args: {{WHO: file}}}}
    init: true
    command: sleep infinity
  other: {{image: {IMAGE}, init: true, command: sleep infinity}}
""")
        world.file("stack/Dockerfile", f"FROM {IMAGE}\nARG WHO\nRUN echo $WHO {world.project} > /who\n")

        def who():
            return world.engine.run(world.project, ["cat", "/who"], image=image).split()[0]

        try:
            built = world.ctl("build", "--build-arg", "WHO=caller").expect(0, "RUN echo caller")
            check("app | #" in built.text, f"{built}: the builder's log")
            equal(who(), "caller", "the argument of the command line")
            equal(world.engine.containers(world.project), [], "containers after build")
            world.ctl("push").expect(0, "images pushed")
            world.engine.call("DELETE", f"/images/{image}?force=1", good=(200,))
            world.ctl("pull", "app").expect(0, "app pulled")
            equal(who(), "caller", "the image that was pulled")
            world.ctl("build", "nothing").expect(5, "cannot find service 'nothing'")
            # Up by these files: built again by them, and not by others.
            world.ctl("up").expect(0)
            world.ctl("build", "--no-cache", "app").expect(0)
            equal(who(), "file", "the file's argument")
            equal(len(world.engine.running(world.project)), 2, "what runs after build")
            equal(world.status()["status"], "up", "the stack's status after build")
            world.file("stack/stackd.yaml", world.read("stack/stackd.yaml").replace("WHO: file", "WHO: edited"))
            world.ctl("build").expect(6, "its files have changed since")
            world.ctl("down", "-t", "0").expect(0)
            world.ctl("build").expect(0)
            equal(who(), "edited", "after down by the new file")
            world.file("stack/stackd.yaml", world.read("stack/stackd.yaml").replace("WHO: edited", "WHO: pushed"))
            world.ctl("build", "--push", "app").expect(0)
            world.engine.call("DELETE", f"/images/{image}?force=1", good=(200,))
            world.ctl("pull", "app").expect(0)
            equal(who(), "pushed", "what build --push has put there")
            log_in(world, there.host, "ann:wrong")
            world.ctl("push").expect(1, f"registry {there.host}, asked as 'ann'")
            world.ctl("push", "--ignore-push-failures").expect(0, f"registry {there.host}, asked as 'ann'")
        finally:
            world.engine.call("DELETE", f"/images/{image}?force=1", good=(200, 404, 409))


@scenario("config --resolve-image-digests asks the registries with the caller's login, and --lock-image-digests is a file of them")
def digests(world):
    with registry(world) as there:
        there.fill()
        stack_of(world, there.image, f"  built: {{build: .}}\n  same: {{image: {there.image}}}\n")
        world.ctl("config", "--resolve-image-digests").expect(1, f"registry {there.host}, asked without a login")
        log_in(world, there.host, f"ann:{PASSWORD}")
        connection = http.client.HTTPConnection("127.0.0.1", there.port)
        connection.request("HEAD", "/v2/app/manifests/1", headers={
            "Authorization": "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode(),
            "Accept": "application/vnd.docker.distribution.manifest.v2+json"})
        digest = connection.getresponse().getheader("Docker-Content-Digest")
        model = json.loads(world.ctl("config", "--resolve-image-digests", "--format", "json").expect(0).out)
        equal(model["services"]["app"]["image"], f"{there.image}@{digest}", "the image")
        check("image" not in model["services"]["built"], "what is built has no digest")
        locked = world.ctl("config", "--lock-image-digests").expect(0).out
        equal([line.strip().replace(chr(34), "") for line in locked.splitlines()],
              ["services:", "app:", f"image: {there.image}@{digest}", "same:", f"image: {there.image}@{digest}"], "the lock file")
        world.file("stack/lock.yaml", locked)
        world.ctl("-f", "stackd.yaml", "-f", "lock.yaml", "config", "--images").expect(0, f"{there.image}@{digest}")
        nowhere(world, PASSWORD)
