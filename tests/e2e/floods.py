"""Whoever writes a lot, or does not write at all, holds up nobody: not the daemon, not another stack, not the disk."""

import os
import signal
import socket
import threading
import time

from harness import IMAGE, UnixConnection, check, wait_until
from scenarios import scenario

LONGEST_ANSWER = 0.5  # seconds; the machine may be busy, the daemon must not be
MOST_MEMORY = 60 << 20


class Pulse:
    """Asks the daemon for nothing much, all the time, and remembers how long the answers took."""

    def __init__(self, world):
        self.world, self.times, self.going = world, [], True
        self.thread = threading.Thread(target=self.beat, daemon=True)

    def beat(self):
        connection = UnixConnection(self.world.daemon.socket, timeout=20)
        while self.going:
            begun = time.monotonic()
            connection.request("GET", "/v1/ping")
            connection.getresponse().read()
            self.times.append(time.monotonic() - begun)
            time.sleep(0.02)
        connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            wait_until(lambda: len(self.times) > 2, "the daemon's answers")
        self.going = False
        self.thread.join(30)
        if kind is not None:
            return
        times = sorted(self.times)
        check(times[-1] < LONGEST_ANSWER, f"the longest answer took {times[-1] * 1000:.0f} ms")
        check(memory(self.world) < MOST_MEMORY, f"the daemon has {memory(self.world) >> 20} MB")


def memory(world):
    with open(f"/proc/{world.daemon.get('/v1/info')['pid']}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


def on_disk(directory):
    return sum(os.lstat(os.path.join(where, name)).st_blocks * 512 for where, _, names in os.walk(directory) for name in names)


@scenario("A process that writes without end: its readiness keeps its deadline, the daemon answers, the disk's cap holds")
def endless_process(world):
    world.stack('owned: {flood: {cmd: "exec yes", ready_when: {log_match: never, timeout: 4s}}}\n')
    with Pulse(world):
        begun = time.monotonic()
        world.ctl("up").expect(1, "flood")
        took = time.monotonic() - begun
        check(4 <= took < 7, f"the up took {took:.1f} s")
    check(on_disk(world.path("home/stacks")) < 60 << 20, f"{on_disk(world.path('home/stacks')) >> 20} MB of logs")


@scenario("Hooks that write fast, two at a time, and a process beside them: the daemon answers, and each log keeps its newest part")
def fast_hooks(world):
    world.stack("""
owned: {flood: {cmd: "exec yes flood"}}
lifecycle:
  before_up: [["yes one | head -c 100000000; echo end one", "yes two | head -c 100000000; echo end two"]]
""")
    with Pulse(world):
        world.ctl("up").expect(0)
    for number, word in enumerate(("one", "two")):
        text = world.ctl("hooks", f"before_up[{number}]").text
        check(f"end {word}" in text, f"the last line of the hook: {text[-200:]}")
    with Pulse(world):
        world.ctl("down").expect(0)


@scenario("logs -f of a fast process and of a fast container, read slowly or not at all: the daemon answers and does not grow")
def slow_readers(world):
    world.stack(f"""
services: {{box: {{image: {IMAGE}, init: true, command: "yes box"}}}}
owned: {{flood: {{cmd: "exec yes flood"}}}}
""")
    world.ctl("up").expect(0)
    stack = world.status()["id"]
    readers = []
    with Pulse(world):
        for service in ("box", "flood", "box", "flood"):
            reader = socket.socket(socket.AF_UNIX)
            reader.connect(world.daemon.socket)
            reader.sendall(f"GET /v1/stacks/{stack}/logs?follow=1&service={service} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            check(reader.recv(100), "the answer begins")
            readers.append(reader)
        fast = world.spawn("logs", "-f", "flood")
        time.sleep(4)  # of flood
        fast.send_signal(signal.SIGINT)
        world.end_of(fast)
    for reader in readers:
        reader.close()
    world.ctl("down").expect(0)


@scenario("An env file that is a pipe is read; one that nobody writes to is refused by name, and holds up no other stack and no end")
def pipes(world):
    world.stack('env_files: [env]\nowned: {a: {cmd: "echo got $KEY; exec sleep 1000"}}\n')
    os.mkfifo(world.path("stack/env"))
    client = world.spawn("up")
    with open(world.path("stack/env"), "w", encoding="utf-8") as pipe:
        pipe.write("KEY=from-a-pipe\n")
    check(world.end_of(client).code == 0, "the up with a written pipe")
    wait_until(lambda: "got from-a-pipe" in world.ctl("logs").text, "the value")
    world.ctl("down").expect(0)

    world.file("dotenv/compose.yaml", "services: {a: {image: '${IMAGE:-none}'}}\n")
    os.mkfifo(world.path("dotenv/.env"))
    client = world.spawn("config", "--images", directory="dotenv")
    with open(world.path("dotenv/.env"), "w", encoding="utf-8") as pipe:
        pipe.write("IMAGE=from-a-pipe\n")
    check("from-a-pipe" in world.end_of(client).text, "the .env that is a pipe")

    world.stack('owned: {b: {cmd: "exec sleep 1000"}}\n', directory="other")
    hanging = [world.spawn("up") for _ in range(5)]
    begun = time.monotonic()
    world.ctl("up", directory="other", project=False).expect(0)
    check(time.monotonic() - begun < 1.5, "another stack comes up meanwhile")
    for client in hanging:
        result = world.end_of(client)
        check(result.code != 0 and "env" in result.text and "nothing was written" in result.text, f"the refusal: {result}")
    world.ctl("down", directory="other", project=False).expect(0)
    world.spawn("up")
    begun = time.monotonic()
    world.daemon.stop()
    check(time.monotonic() - begun < 3, "the daemon ends although somebody's file is waited for")
    world.daemon.start()


@scenario("An env file that is endless, huge or a directory is refused by name, at once")
def no_env_files(world):
    world.stack('env_files: [env]\nowned: {a: {cmd: "exec sleep 1000"}}\n')
    env = world.path("stack/env")
    for make, why in ((lambda: os.symlink("/dev/zero", env), "more than 4 MB"),
                      (lambda: os.truncate(os.open(env, os.O_CREAT | os.O_RDWR, 0o600), 200 << 20), "more than 4 MB"),
                      (lambda: os.mkdir(env), "a directory")):
        make()
        begun = time.monotonic()
        with Pulse(world):
            for _ in range(10):
                result = world.ctl("up")
                check(result.code != 0 and "env" in result.text and why in result.text, f"the refusal: {result}")
        check(time.monotonic() - begun < 4, "it is said at once")
        if os.path.isdir(env) and not os.path.islink(env):
            os.rmdir(env)
        else:
            os.unlink(env)
