"""Commands in the containers of services: through a terminal, through pipes, over the API alone."""

import hashlib
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import fcntl

from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario

STACK = f"""
services:
  db:
    image: {IMAGE}
    command: [sleep, "1000"]
    environment: {{COLOUR: blue}}
owned:
  api: {{cmd: sleep 1000, cwd: t, env: {{HELLO: world}}}}
"""


class Terminal:
    """A stackctl in a terminal of its own."""

    def __init__(self, world, *arguments, rows=24, columns=80):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            command = world.command(*arguments)
            os.chdir(world.base)
            os.execve(command[0], command, dict(world.environment, TERM="xterm"))
        self.text = ""
        self.status = None
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, limit=0.05):
        if select.select([self.master], [], [], limit)[0]:
            try:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                pass

    def shows(self, words, limit=20):
        def seen():
            self.read()
            return words in self.text
        wait_until(seen, f"{words!r} in a terminal that shows {self.text[-500:]!r}", limit)

    def ended(self, limit=20):
        def over():
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None
        wait_until(over, f"the end of a stackctl that shows {self.text[-500:]!r}", limit)
        os.close(self.master)
        return self.status


def in_container(world, words):
    """Command lines of the container's processes that have these words."""
    top = world.engine.call("GET", f"/containers/{world.engine.running(world.project, 'db')[0]['Id']}/top")
    return [line[-1] for line in top["Processes"] if words in line[-1]]


@scenario("exec SERVICE: the command's output, both streams, exit status, user, directory and environment, as docker exec's")
def as_docker_has_it(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    container = world.engine.running(world.project, "db")[0]["Id"]
    for ours, theirs, command in [
            ([], [], ["sh", "-c", "echo out; echo wrong >&2; exit 3"]),
            (["-u", "65534"], ["-u", "65534"], ["id", "-u"]),
            (["-w", "/tmp"], ["-w", "/tmp"], ["pwd"]),
            (["-e", "A=1", "-e", "B=two words"], ["-e", "A=1", "-e", "B=two words"], ["sh", "-c", "echo $A $B $COLOUR"]),
            (["-T", "-i"], ["-i"], ["cat"]),
            ([], [], ["no-such-command"]),
            (["--privileged"], ["--privileged"], ["sh", "-c", "grep CapEff /proc/self/status"])]:
        got = world.ctl("exec", *ours, "db", *command)
        want = subprocess.run(["docker", "-H", f"unix://{world.engine.socket}", "exec", *theirs, container, *command],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        equal((got.code, got.out, got.err), (want.returncode, want.stdout.decode(), want.stderr.decode()), f"exec of {command}")
    equal(world.ctl("exec", "--index", "7", "db", "true").code, 1, "a replica that there is not")
    kinds = [(e["kind"], e["data"].get("exit_code")) for e in events(world) if e["kind"].startswith("exec.")]
    equal(kinds[:2], [("exec.started", None), ("exec.ended", 3)], "what the journal has of the first")
    check(all(e["data"]["exec"] for e in events(world) if e["kind"] == "exec.started"), "each has the engine's id")


def events(world):
    """All that the journal has."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(world.daemon.socket)
    connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0\r\n\r\n")
    text = b""
    while select.select([connection], [], [], 0.5)[0]:
        piece = connection.recv(65536)
        if not piece:
            break
        text += piece
    connection.close()
    return [json.loads(line[6:]) for line in text.decode().splitlines() if line.startswith("data: ")]


@scenario("exec of a process service runs beside it: on this host, with its environment, in its directory; after -- it is the stack's")
def beside_a_process(world):
    directory = world.stack(STACK)
    world.ctl("up").expect(0)
    equal(world.ctl("exec", "api", "sh", "-c", "echo $HELLO; pwd; exit 4").expect(4).out, f"world\n{directory}/t\n", "beside api")
    equal(world.ctl("exec", "--", "sh", "-c", "echo $HELLO; pwd").expect(0).out, f"\n{directory}\n", "of the stack")
    equal(world.ctl("exec", "sh", "-c", "pwd").expect(0).out, f"{directory}\n", "a first word that is no service")
    check("--user is for a command in a container" in world.ctl("exec", "-u", "1", "api", "id").expect(2).err, "what is for containers")
    world.ctl("down").expect(0)
    refused = world.ctl("exec", "db", "true").expect(1)
    check('service "db" is not running' in refused.err, f"not up: {refused.err}")


@scenario("exec in a terminal: raw keys, the window's size and its changes, Ctrl-C for the command, its exit status, and the terminal is as before")
def in_a_terminal(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    terminal = Terminal(world, "exec", "db", "sh", rows=31, columns=97)
    terminal.type("stty size\r")
    terminal.shows("31 97")
    terminal.resize(40, 120)
    wait_until(lambda: ask(terminal, "stty size\r", "40 120"), "the new size")
    terminal.type("sleep 500 || echo interrupted\r")
    wait_until(lambda: in_container(world, "sleep 500"), "a sleep in the container")
    terminal.type("\x03")
    terminal.shows("interrupted")
    terminal.type("vi /tmp/file\r")
    terminal.shows("- /tmp/file")
    terminal.type("ihello from vi")
    terminal.shows("hello from vi")
    terminal.type("\x1b")
    terminal.shows("- /tmp/file [Modified]")
    terminal.type(":wq\r")
    wait_until(lambda: world.ctl("exec", "db", "cat", "/tmp/file").out == "hello from vi\n", "the file that vi wrote")
    terminal.type("exit 9\r")
    equal(terminal.ended(), 9, "exit status")


def ask(terminal, keys, answer):
    terminal.type(keys)
    terminal.read(0.3)
    return answer in terminal.text


@scenario("exec: Ctrl-P Ctrl-Q leaves the command running; a client that is killed, and a daemon that is killed, end it in the container")
def who_goes_away(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    detached = Terminal(world, "exec", "db", "sleep", "601")
    wait_until(lambda: in_container(world, "sleep 601"), "the first")
    detached.type("\x10\x11")
    equal(detached.ended(), 0, "let go of")
    killed = Terminal(world, "exec", "db", "sleep", "602")
    wait_until(lambda: in_container(world, "sleep 602"), "the second")
    os.kill(killed.pid, signal.SIGKILL)
    killed.ended()
    wait_until(lambda: not in_container(world, "sleep 602"), "the end of the second")
    # A tree, whose shell takes no notice of being asked.
    orphan = world.spawn("exec", "-T", "db", "sh", "-c", "trap '' TERM; sleep 603 & sleep 604; true")
    wait_until(lambda: in_container(world, "sleep 604"), "the third")
    world.daemon.kill()
    check("lost the daemon" in world.end_of(orphan).out, "what its client says")
    equal(len(in_container(world, "sleep 60")), 4, "with no daemon they run on")  # 601, the shell, 603, 604
    world.daemon.start()
    wait_until(lambda: not in_container(world, "sleep 603") and not in_container(world, "sleep 604"), "the end of the third")
    equal(len(in_container(world, "sleep 601")), 1, "what was let go of")
    started = world.ctl("exec", "-d", "db", "sleep", "605").expect(0)
    equal(started.out, "", "a detached one says nothing")
    wait_until(lambda: in_container(world, "sleep 605"), "a detached one")


@scenario("exec: 100 MB go in and out through pipes unharmed, and a reader that stands still holds them back")
def much_through_pipes(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    block = os.urandom(1 << 20)
    child = subprocess.Popen(world.command("exec", "-T", "db", "cat"), env=world.environment, cwd=world.base,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    world.children.append(child)
    child.output = child.stdout
    size, sent, got = 100 << 20, 0, 0
    want, have = hashlib.sha256(), hashlib.sha256()
    os.set_blocking(child.stdin.fileno(), False)
    still_until = time.monotonic() + 2  # nothing is read at first
    peak = 0
    while got < size:
        reading = time.monotonic() > still_until
        readable, writable, _ = select.select([child.stdout] if reading else [], [child.stdin] if sent < size else [], [], 0.2)
        if writable:
            piece = block[sent % len(block):][:65536]
            count = os.write(child.stdin.fileno(), piece)
            want.update(piece[:count])
            sent += count
            if sent >= size:
                child.stdin.close()
        if not reading:
            peak = max(peak, sent)
        if readable:
            piece = os.read(child.stdout.fileno(), 65536)
            check(piece, "the output ended early")
            have.update(piece)
            got += len(piece)
    equal(have.hexdigest(), want.hexdigest(), "what came back")
    equal(child.wait(20), 0, "exit status")
    check(peak < 8 << 20, f"{peak} bytes were taken while nobody read")


@scenario("exec waits for an operation of its stack and says so; --no-wait and a hook of that operation do not")
def during_an_operation(world):
    world.stack(STACK + f"lifecycle:\n  after_up:\n    - {os.path.join(os.environ.get('STACKD_BIN', ''), 'stackctl')} -p {world.project} exec -T db echo in the hook > t/hook\n"
                "    - while [ ! -e t/go ]; do sleep 0.05; done\n")
    up = world.spawn("up")
    wait_until(lambda: "in the hook" in world.read("stack/t/hook"), "a hook's own exec")
    equal(world.ctl("exec", "--no-wait", "db", "echo", "now").expect(0).out, "now\n", "--no-wait")
    waiting = world.spawn("exec", "db", "echo", "then")
    wait_until(lambda: world.daemon.get("/v1/info")["operations_running"] == 1 and waits(waiting), "what it says")
    check(waiting.poll() is None, "it waits")
    world.file("stack/t/go", "")
    said = world.end_of(waiting).expect(0).out
    check("waiting for up op-" in said and said.endswith("then\n"), said)
    world.end_of(up).expect(0)


def waits(child):
    with open(child.output.name, "rb") as file:
        return b"waiting for up" in file.read()


@scenario("exec over the API alone: the answer with everything, and a terminal by frames on an upgraded connection")
def over_the_api(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    target = f"/v1/stacks/{world.status()['id']}/exec"
    status, done = request(world.daemon.socket, "POST", target,
                           {"service": "db", "command": ["sh", "-c", "echo out; echo err >&2; exit 5"]})
    equal((status, done["exit_code"], done["stdout"], done["stderr"]), (200, 5, "out\n", "err\n"), "the answer")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(20)
    connection.connect(world.daemon.socket)
    body = json.dumps({"service": "db", "command": ["sh"], "tty": True, "input": True, "size": {"rows": 10, "columns": 33}})
    connection.sendall((f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: stackd-stream\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
    stream = connection.makefile("rb")
    check(stream.readline().startswith(b"HTTP/1.1 101"), "upgraded")
    while stream.readline() != b"\r\n":
        pass
    frame = lambda kind, data: struct.pack(">B3xI", kind, len(data)) + data
    connection.sendall(frame(0, b"stty size; exit 6\r"))
    seen, kinds = b"", []
    while True:
        kind, length = struct.unpack(">B3xI", stream.read(8))
        data = stream.read(length)
        kinds.append(kind)
        if kind == 1:
            seen += data
        if kind in (4, 5):
            break
    equal((kinds[0], kinds[-1], json.loads(data)["exit_code"]), (3, 4, 6), "first frame, last frame, exit status")
    check(b"10 33" in seen, f"the size: {seen}")
