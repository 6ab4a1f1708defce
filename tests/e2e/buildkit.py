"""Images built by the engine's BuildKit: mounts, secrets, an ssh agent, contexts that are not sent twice, failures with their
lines, and builds that outlive the daemon, the helper and the client."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import IMAGE, check, equal, wait_until
from registries import PASSWORD, log_in, nowhere, registry
from scenarios import scenario

RUNS = "    init: true\n    command: sleep infinity\n"


def dockerfile(world, text, directory="stack"):
    world.file(f"{directory}/Dockerfile", text)


def build_logs(world):
    found = subprocess.run(["find", world.daemon.home, "-name", "*.build.log"], stdout=subprocess.PIPE, text=True)
    return sorted(found.stdout.split(), key=os.path.getmtime)


def build_log(world):
    with open(build_logs(world)[-1], encoding="utf-8") as file:
        return file.read()


def helpers(world):
    """Pids of the world's stackd-build."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                parent = file.read().rpartition(")")[2].split()[1]
            # Its shim holds the lock of the run.
            held = [os.readlink(f"/proc/{parent}/fd/{fd}") for fd in os.listdir(f"/proc/{parent}/fd")]
            ours = any(path.startswith(world.base + "/") for path in held)
        except OSError:
            continue
        if ours and words[0].endswith(b"/stackd-build"):
            found.append(int(pid))
    return found


def in_image(world, command):
    """What a command prints in a container of the image that the stack runs."""
    image = world.engine.running(world.project)[0]["ImageID"]
    return world.engine.run(world.project, ["sh", "-c", command], image=image)


@scenario("RUN mounts of every kind build: cache, secret from a file and from a variable, tmpfs, bind; the secret is nowhere")
def mounts(world):
    world.environment["TOKEN_VARIABLE"] = "variable-secret-77"
    world.stack(f"""
services:
  app:
    build: {{context: ., secrets: [from_file, {{source: from_variable, target: other}}], args: {{WORD: "two words"}}, labels: {{a.b: c}}}}
{RUNS}
secrets:
  from_file: {{file: ./token.txt}}
  from_variable: {{environment: TOKEN_VARIABLE}}
""")
    world.file("stack/token.txt", "file-secret-4711")
    world.file("stack/.dockerignore", "token.txt\nskipped\n")
    world.file("stack/skipped", "x")
    dockerfile(world, f"""FROM {IMAGE} AS base
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t echo kept > /c/x && touch /t/x
RUN --mount=type=secret,id=from_file : {world.project} && wc -c < /run/secrets/from_file > /sizes && cat /run/secrets/from_file
RUN --mount=type=secret,id=other,target=/o wc -c < /o >> /sizes
FROM base
ARG WORD
COPY . /src
RUN --mount=type=bind,target=/ctx --mount=type=bind,from=base,source=/sizes,target=/s cp /s /sizes && ls /ctx > /seen && echo "$WORD" > /word
""")
    world.ctl("up").expect(0)
    equal(in_image(world, "cat /sizes /word; ls /src | sort | tr '\\n' ' '"), "16\n18\ntwo words\nDockerfile stackd.yaml t ", "the image")
    image = world.engine.images(world.project)[0]
    equal((image["Labels"]["a.b"], image["Labels"]["com.docker.compose.service"]), ("c", "app"), "labels")
    check("***" in build_log(world), "what prints the secret is masked in the log")
    nowhere(world, "file-secret-4711", "variable-secret-77")
    history = json.dumps(world.engine.call("GET", f"/images/{image['Id']}/history"))
    check("file-secret" not in history and "variable-secret" not in history, "the image's history has no secret")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("a failed instruction shows its lines, and the whole log is kept")
def failed_instruction(world):
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN echo before {world.project}\nRUN echo the-reason-of-it; echo to-stderr >&2; exit 7\n")
    failed = world.ctl("up").expect(1, "cannot build image", "exit code: 7", "the-reason-of-it", "to-stderr", "the whole log: cat ",
                                    "/stack/Dockerfile:3\n", "3 >>> RUN echo the-reason")
    log = build_log(world)
    check(f"RUN echo before {world.project}" in log and "the-reason-of-it" in log, f"the whole log: {log}")
    dockerfile(world, "FROMM nothing\n")
    world.ctl("up").expect(1, "cannot build image", "FROMM")


@scenario("of a context that was sent before only what has changed is sent again")
def unchanged_context(world):
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nCOPY . /src\n")
    for i in range(20):
        with open(world.path("stack", f"big{i}"), "wb") as file:
            file.write(os.urandom(1_000_000))
    world.file("stack/small", "one")

    def sent():
        lines = [line for line in build_log(world).splitlines() if "transferring context" in line]
        return lines[-1].split("context: ")[1].split()[0]  # the one before is of the .dockerignore

    world.ctl("up").expect(0)
    check(sent().endswith("MB"), f"first all of it: {sent()}")
    world.file("stack/small", "another")
    begun = time.monotonic()
    world.ctl("up", "--build").expect(0)
    check("MB" not in sent(), f"then what has changed: {sent()}")
    equal(in_image(world, "cat /src/small; ls /src | wc -l"), "another24\n", "the second image")
    check(time.monotonic() - begun < 20, "the second build is quick")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("a build goes on while the daemon is dead, and the next one takes its result: it runs once")
def daemon_dies(world):
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN echo begun; sleep 4; echo {world.project} > /made\n")
    client = world.spawn("up")
    wait_until(lambda: build_logs(world) and " begun\n" in build_log(world), "the build")
    one = helpers(world)
    world.daemon.kill()
    equal(helpers(world), one, "the helper after the daemon's death")
    world.daemon.start()
    wait_until(lambda: client.poll() is not None, "the client")
    equal(client.returncode, 0, "the client's end")
    equal(len(build_logs(world)), 1, "builds")
    equal(build_log(world).count(" begun\n"), 1, "how often it began")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("a helper that is killed is begun again, once, after the engine has cancelled what it built")
def helper_dies(world):
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN echo begun; sleep 4; echo {world.project}\n")
    client = world.spawn("up")
    wait_until(lambda: build_logs(world) and " begun\n" in build_log(world), "the build")
    os.kill(helpers(world)[0], signal.SIGKILL)
    world.end_of(client).expect(0)
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("cancelling ends the build in the engine")
def cancelled(world):
    mark = f"cancel-{world.project}"
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN echo begun; sleep 97; echo {mark}\n")
    client = world.spawn("up")
    wait_until(lambda: build_logs(world) and " begun\n" in build_log(world), "the build")

    def builds():
        found = subprocess.run(["pgrep", "-f", mark], stdout=subprocess.PIPE, text=True)
        return found.stdout.split()

    check(builds(), "the instruction runs")
    os.killpg(client.pid, signal.SIGINT)
    equal(world.end_of(client).code, 130, "exit code")
    wait_until(lambda: not helpers(world), "the helper's end")
    wait_until(lambda: not builds(), "the instruction's end")


@scenario("DOCKER_BUILDKIT=0 asks for the classic builder, and says so when a file needs more")
def classic(world):
    world.environment["DOCKER_BUILDKIT"] = "0"
    world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN echo classic > /x\n")
    world.ctl("up").expect(0)
    equal(in_image(world, "cat /x"), "classic\n", "the image")
    equal(build_logs(world), [], "logs of BuildKit")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)
    world.stack(f"services:\n  app:\n    build: {{context: ., secrets: [s]}}\n{RUNS}secrets: {{s: {{file: ./Dockerfile}}}}\n")
    world.ctl("up").expect(1, "'secrets' of its build need BuildKit")


@scenario("a build may stand on a private image: the session gives the caller's login")
def private_base(world):
    with registry(world) as there:
        there.fill()
        world.stack(f"services:\n  app:\n    build: .\n{RUNS}")
        dockerfile(world, f"FROM {there.image}\nRUN echo private > /x; : {world.project}\n")
        world.ctl("up").expect(1, "cannot build image")
        log_in(world, there.host, f"ann:{PASSWORD}")
        world.ctl("up").expect(0)
        equal(in_image(world, "cat /x"), "private\n", "the image")
        nowhere(world, PASSWORD)
        world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("RUN --mount=type=ssh reaches the caller's agent, through build.ssh")
def ssh_agent(world):
    asked = []
    server = socket.socket(socket.AF_UNIX)
    path = os.path.join(world.short, "agent")
    server.bind(path)
    server.listen()

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            data = peer.recv(100)
            if data:
                asked.append(data)
                peer.sendall(b"answer-of-the-agent")
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    world.environment["SSH_AUTH_SOCK"] = path
    world.stack(f"services:\n  app:\n    build: {{context: ., ssh: [default]}}\n{RUNS}")
    dockerfile(world, f"FROM {IMAGE}\nRUN --mount=type=ssh echo hello | nc local:$SSH_AUTH_SOCK > /x || ls -l $SSH_AUTH_SOCK > /x\n")
    world.ctl("up").expect(0)
    check(in_image(world, "cat /x"), "a socket was there")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)
    server.close()


def with_ssh_add(world):
    """Puts a Dockerfile's directory together in which ssh-add runs: it asks an agent what it has, and has it sign."""
    libraries = subprocess.run(["ldd", shutil.which("ssh-add")], check=True, stdout=subprocess.PIPE, text=True).stdout
    files = [word for word in libraries.split() if word.startswith("/")] + [shutil.which("ssh-add")]
    os.makedirs(world.path("stack/ssh"))
    for path in files:
        shutil.copy(path, world.path("stack/ssh", os.path.basename(path)))
    return "/ssh/" + next(os.path.basename(path) for path in files if "/ld-" in path) + " --library-path /ssh /ssh/ssh-add"


def make_key(world, name, *options):
    os.makedirs(world.path("stack"), exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-f", world.path("stack", name), *options], check=True)
    with open(world.path("stack", name + ".pub"), encoding="utf-8") as file:
        return file.read().split()[1]


@scenario("RUN --mount=type=ssh signs with keys of files, of the file and of the command line; one with a passphrase is refused by name")
def ssh_keys(world):
    keys = [make_key(world, "one", "-t", "ed25519", "-N", ""), make_key(world, "two", "-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"),
            make_key(world, "three", "-t", "ecdsa", "-N", "")]
    make_key(world, "shut", "-t", "ed25519", "-N", "passphrase")
    ssh_add = with_ssh_add(world)
    world.stack(f"services:\n  app:\n    build: {{context: ., ssh: [default=./one]}}\n{RUNS}")
    world.file("stack/.dockerignore", "one\ntwo\nthree\nshut\n")
    text = f"FROM {IMAGE}\nCOPY ssh /ssh\nCOPY *.pub /\n"
    one = f"RUN --mount=type=ssh {ssh_add} -L > /keys && {ssh_add} -T /one.pub : {world.project}\n".replace(" : ", " && : ")
    dockerfile(world, text + one)
    world.ctl("up").expect(0)
    equal(in_image(world, "cat /keys").split()[1::2], keys[:1], "keys of the file")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)
    dockerfile(world, text + one + f"RUN --mount=type=ssh,id=more {ssh_add} -L >> /keys && {ssh_add} -T /two.pub /three.pub\n")
    world.ctl("build", "--ssh", "more=two,three").expect(0)
    world.ctl("build", "--ssh", "default=shut").expect(1, f"cannot use {world.path('stack/shut')} as an ssh key", "passphrase")
    world.environment.pop("SSH_AUTH_SOCK", None)
    world.ctl("build", "--ssh", "default").expect(1, "SSH_AUTH_SOCK is not set")
    for name in ("one", "two"):
        with open(world.path("stack", name), encoding="utf-8") as file:
            nowhere(world, file.read().splitlines()[1])


@scenario("what the engine's builder has only with containerd's images is refused by its key, as Docker's own client does; else it is built")
def containerd_only(world):
    has_store = ["driver-type", "io.containerd.snapshotter.v1"] in (world.engine.call("GET", "/info")["DriverStatus"] or [])

    def refused(build, *keys):
        world.stack(f"services:\n  app:\n    image: x{world.project}\n    build: {{context: ., {build}}}\n{RUNS}")
        if has_store:
            if "sbom" in keys or "cache_to" in keys:
                return  # a scanner's image, and a registry, that are not here
            world.ctl("build").expect(0)
            said = "exporting attestation manifest" if "provenance" in keys else "linux/arm64 2/2"
            check(said in build_log(world), f"{said} in the log")
            world.engine.call("DELETE", f"/images/x{world.project}?force=1", good=(200,))
            return
        world.ctl("build").expect(1, *(f"'{key}'" for key in keys), "containerd image store", "Docker Engine has from 24.0 on")

    dockerfile(world, f"FROM {IMAGE}\nRUN echo {world.project}\n")
    refused("platforms: [linux/amd64, linux/arm64]", "platforms")
    refused("provenance: true", "provenance")
    refused("sbom: true, provenance: mode=max", "provenance", "sbom")
    refused("cache_to: ['type=registry,ref=127.0.0.1:1/c']", "cache_to")
    # One of several is what an up runs; what is turned off is no matter; an inline cache is in the image.
    world.stack(f"services:\n  app:\n    build: {{context: ., platforms: [linux/arm64, linux/amd64], sbom: false, provenance: false, "
                f"cache_to: [type=inline], network: host, entitlements: [network.host]}}\n{RUNS}")
    world.ctl("up").expect(0)
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)
    world.stack(f"services:\n  app:\n    build: {{context: ., privileged: true}}\n{RUNS}")
    world.ctl("up").expect(1, "security.insecure is not allowed")


@scenario("build --print shows the builds as a bake file, and builds nothing")
def printed(world):
    world.stack(f"""
services:
  app: {{image: "x:1", build: {{context: ., args: {{A: file}}, additional_contexts: {{base: "service:two"}}}}}}
  two: {{build: {{dockerfile_inline: "FROM scratch"}}}}
  plain: {{image: {IMAGE}}}
""")
    printed = json.loads(world.ctl("build", "--print", "--build-arg", "A=mine", "--push", "app").expect(0).out)
    equal(printed["group"]["default"]["targets"], ["two", "app"], "targets")
    app = printed["target"]["app"]
    equal((app["args"], app["tags"], app["output"], app["contexts"]),
          ({"A": "mine"}, ["x:1"], ["type=registry"], {"base": "target:two"}), "the target")
    equal(app["context"], world.path("stack"), "the context")
    equal(printed["target"]["two"]["dockerfile-inline"], "FROM scratch", "the other one")
    equal(build_logs(world), [], "builds")
    world.ctl("build", "--print", "nothing").expect(5, "cannot find service 'nothing'")


@scenario("here-documents and contexts by name build with an engine of 23 or newer; contexts are refused by their key with others")
def newer_dockerfiles(world):
    newer = int(world.engine.call("GET", "/version")["Version"].split(".")[0]) >= 23
    world.stack(f"""
services:
  app:
    build: {{context: ., shm_size: 64m, ulimits: {{nofile: {{soft: 100, hard: 200}}}},
             additional_contexts: {{other: ./other, base: "service:two", img: "docker-image://{IMAGE}"}}}}
    init: true
    command: sleep infinity
  two:
    image: two{world.project}
    build: {{dockerfile_inline: "FROM {IMAGE}\\nRUN echo two {world.project} > /two\\n"}}
    init: true
    command: sleep infinity
""")
    world.file("stack/other/file", "of another directory\n")
    dockerfile(world, f"""FROM {IMAGE}
RUN <<END
echo one > /here
ulimit -n >> /here
df /dev/shm | tail -1 | awk '{{print $2}}' >> /here
END
COPY --from=base /two /two
COPY --from=other file /file
COPY --from=img /etc/passwd /passwd
""")
    if not newer:
        world.ctl("up").expect(1, "'additional_contexts' of its build need Docker Engine 23.0 or newer")
        return
    world.ctl("up").expect(0)
    image = world.engine.running(world.project, "app")[0]["ImageID"]
    said = world.engine.run(world.project, ["sh", "-c", "cat /here /two /file; wc -l < /passwd"], image=image)
    equal(said.splitlines(), ["one", "100", "65536", f"two {world.project}", "of another directory", "2"], "the image")
    world.ctl("down", "--rmi", "all", "-t", "0").expect(0)
