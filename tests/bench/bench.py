"""Measures stackd against the engine's floor, in turn and in the same run, and prints a table. See run."""

import argparse
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../e2e")]
sys.dont_write_bytecode = True
from floor import Floor  # noqa: E402
from harness import IMAGE, UnixConnection, World  # noqa: E402

ROWS = []


def row(work, value, floor="", note=""):
    ROWS.append((work, value, floor, note))
    print(f"  {work}: {value}{'  floor ' + floor if floor else ''}  {note}", flush=True)


def timed(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def seconds(values):
    return f"{statistics.median(values):.2f} s"


def ratio(ours, floors):
    return f"{statistics.median(ours) / statistics.median(floors):.2f} times the floor"


def containers(count, hook=False):
    lines = ["services:"]
    for number in range(count):
        lines += [f"  s{number}:", f"    image: {IMAGE}", "    init: true", "    command: sleep infinity"]
        if hook:
            lines += ["    post_start: [{command: \"true\"}]"]
    return "\n".join(lines) + "\n"


def chain(count, interval):
    lines = ["services:"]
    for number in range(count):
        lines += [f"  s{number}:", f"    image: {IMAGE}", "    init: true", "    command: sleep infinity",
                  f"    healthcheck: {{test: [\"CMD\", \"true\"]{', interval: ' + interval if interval else ''}}}"]
        if number:
            lines += [f"    depends_on: {{s{number - 1}: {{condition: service_healthy}}}}"]
    return "\n".join(lines) + "\n"


def against_floor(world, what, text, floor, rounds):
    world.stack(text)
    ups, downs, floor_ups, floor_downs = [], [], [], []
    for _ in range(rounds):
        up, down = floor().run()
        floor_ups.append(up)
        floor_downs.append(down)
        ups.append(timed(lambda: world.ctl("up").expect(0)))
        downs.append(timed(lambda: world.ctl("down").expect(0)))
    row(f"{what}: up", seconds(ups), seconds(floor_ups), ratio(ups, floor_ups))
    row(f"{what}: down", seconds(downs), seconds(floor_downs), ratio(downs, floor_downs))


def memory_kb(pid, field="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def cpu_ns(pid):
    """Of all its threads, in nanoseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as stat:
            total += int(stat.read().split()[0])
    return total


def children_named(name):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.path.basename(os.readlink(f"/proc/{entry}/exe")) == name:
                    found.append(int(entry))
            except OSError:
                pass
    return found


def steady_state(world):
    """20 containers up: what asking and doing nothing cost."""
    world.stack(containers(20))
    world.ctl("up").expect(0)
    pid = world.daemon.process.pid
    unchanged = [timed(lambda: world.ctl("up").expect(0)) * 1000 for _ in range(20)]
    row("unchanged up, 20 running, whole process", f"{statistics.median(unchanged):.1f} ms", note="median of 20")
    status = [timed(lambda: world.ctl("status").expect(0)) * 1000 for _ in range(20)]
    row("status, 20 running, whole process", f"{statistics.median(status):.1f} ms", note="median of 20")
    version = [timed(lambda: subprocess.run([world.command()[0], "--version"], check=True, capture_output=True)) * 1000
               for _ in range(20)]
    row("stackctl --version, whole process", f"{statistics.median(version):.1f} ms", note="median of 20")
    time.sleep(3)  # it gives back what it does not need
    row("daemon's memory, 20 up", f"{memory_kb(pid) / 1024:.1f} MB", note=f"peak {memory_kb(pid, 'VmHWM') / 1024:.1f} MB")
    before = cpu_ticks(pid)
    time.sleep(5)  # the measurement itself
    row("daemon's CPU in 5 idle seconds, 20 up", f"{cpu_ticks(pid) - before} ticks", note="of 10 ms")
    world.ctl("down").expect(0)


class KeptConnection:
    """Requests as a client in C would make them: Python's own parsing takes longer than the daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = bytearray(1 << 20)

    def get(self, path):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.socket.recv(1 << 20)
        head, body = data.split(b"\r\n\r\n", 1)
        left = int(re.search(rb"(?i)content-length: *([0-9]+)", head).group(1)) - len(body)
        while left > 0:
            left -= self.socket.recv_into(self.buffer)


def many_stacks(world, stacks=100, services=10):
    """What is known of many stacks: services that are done, for they need nothing of the machine, and in one of five stacks
    containers that were made and not started."""
    done = "owned:\n" + "".join(f"  s{n}: {{cmd: 'true', oneshot: true, stop_cmd: 'true'}}\n" for n in range(services))
    made = "services:\n" + "".join(f"  s{n}: {{image: {IMAGE}, command: sleep infinity, network_mode: none}}\n" for n in range(services))
    names = [(f"many{n}", f"{world.project}m{n}") for n in range(stacks)]
    try:
        for number, (directory, name) in enumerate(names):
            world.stack(made if number % 5 == 0 else done, directory=directory)
            world.ctl("up", *(["--no-start"] if number % 5 == 0 else []), "-p", name, directory=directory, project=False).expect(0)
        known = [stack["id"] for stack in world.daemon.get("/v1/stacks")["stacks"] if "m" in stack["name"]]
        time.sleep(3)
        pid = world.daemon.process.pid
        connection = KeptConnection(world.daemon.socket)
        for what, path in ((f"GET of {stacks} stacks of {services}", "/v1/stacks"), ("GET of one of them", f"/v1/stacks/{known[0]}")):
            connection.get(path)
            took = [timed(lambda: connection.get(path)) * 1000 for _ in range(300)]
            row(what, f"{statistics.median(took):.2f} ms", note="median of 300 on a kept connection")
        row(f"daemon's memory, {stacks * services} services", f"{memory_kb(pid) / 1024:.1f} MB", note=f"peak {memory_kb(pid, 'VmHWM') / 1024:.1f} MB")
    finally:
        for directory, name in names:
            world.ctl("down", "-p", name, directory=directory, project=False)


def foreign_events(world, seconds=5):
    """Somebody else's containers, as busy as the engine lets them be: what reaches the daemon of that, and what it costs. The
    events of networks carry no labels, so those come whoever's they are."""
    engine, mark = world.engine, f"foreign{os.getpid()}"
    body = {"Image": IMAGE, "Cmd": ["sleep", "1000"], "HostConfig": {"Init": True}}
    boxes = [engine.call("POST", f"/containers/create?name={mark}x{n}", body)["Id"] for n in range(6)]
    network = engine.call("POST", "/networks/create", {"Name": mark})["Id"]
    world.stack(containers(1))
    world.ctl("up").expect(0)
    pid = world.daemon.process.pid

    def busy(box, requests, until, counts):
        connection, count = UnixConnection(engine.socket), 0
        while time.monotonic() < until:
            for path, content in requests(box, count):
                connection.request("POST", "/v1.41" + path, json.dumps(content), {"Content-Type": "application/json"})
                connection.getresponse().read()
                count += 1
        counts.append(count)

    def storm(what, requests):
        counts = []
        before, began = cpu_ns(pid), time.monotonic()
        threads = [threading.Thread(target=busy, args=(box, requests, began + seconds, counts)) for box in boxes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        row(f"{what} of other people's containers", f"{(cpu_ns(pid) - before) / 1e7 / took:.2f} % of a core", note=f"{sum(counts) / took:.0f} events a second")

    try:
        for box in boxes:
            engine.call("POST", f"/containers/{box}/start")
        time.sleep(3)
        storm("execs, kills and renames", lambda box, n: [(f"/containers/{box}/exec", {"Cmd": ["true"]})] * 8 + [
            (f"/containers/{box}/kill?signal=URG", {}), (f"/containers/{box}/rename?name={mark}{box[:6]}r{n}", {})])
        storm("networks that are left and joined", lambda box, n: [(f"/networks/{network}/{what}", {"Container": box}) for what in ("connect", "disconnect")])
    finally:
        for box in boxes:
            engine.call("DELETE", f"/containers/{box}?force=1")
        engine.call("DELETE", f"/networks/{network}")
        world.ctl("down").expect(0)


def host_hooks(world, rounds):
    hooks = 20
    text = "owned: {a: {cmd: exec sleep 1000}}\n"
    with_hooks = text + "lifecycle: {before_up: [" + ", ".join(['"true"'] * hooks) + "]}\n"
    costs = []
    for _ in range(rounds):
        times = []
        for stack in (text, with_hooks):
            world.stack(stack)
            times.append(timed(lambda: world.ctl("up").expect(0)))
            world.ctl("down").expect(0)
        costs.append((times[1] - times[0]) / hooks * 1000)
    row("one host hook (`true`)", f"{statistics.median(costs):.1f} ms", note=f"{hooks} in a row, recorded, logged, under a shim")


def processes(world):
    count = 200
    world.stack("owned:\n" + "".join(f"  p{n}: {{cmd: exec sleep 1000}}\n" for n in range(count)))
    before = set(children_named("stackd-shim"))
    up = timed(lambda: world.ctl("up").expect(0))
    shims = [pid for pid in children_named("stackd-shim") if pid not in before]
    row(f"{count} host processes: up", f"{up:.2f} s")
    row(f"{count} host processes: daemon's memory", f"{memory_kb(world.daemon.process.pid) / 1024:.1f} MB")
    if shims:
        row("one shim's own memory", f"{statistics.median(memory_kb(p, 'RssAnon') for p in shims):.0f} KB", note="anonymous pages")
    row(f"{count} host processes: down", f"{timed(lambda: world.ctl('down').expect(0)):.2f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="one of: plain, hook, chain, steady, many, foreign, hooks, processes")
    options = parser.parse_args()
    world = World()
    began = time.monotonic()
    parts = {
        "plain": lambda: against_floor(world, "20 containers", containers(20), lambda: Floor(20), options.rounds),
        "hook": lambda: against_floor(world, "20 containers, one post_start each", containers(20, True),
                                      lambda: Floor(20, hook=True), options.rounds),
        "chain": lambda: [
            against_floor(world, f"chain of 10, healthcheck every {interval or '30 s (the default)'}",
                          chain(10, interval), lambda: Floor(10, chain=True), options.rounds)
            for interval in ("1s", "")],
        "steady": lambda: steady_state(world),
        "many": lambda: many_stacks(world),
        "foreign": lambda: foreign_events(world),
        "hooks": lambda: host_hooks(world, options.rounds),
        "processes": lambda: processes(world),
    }
    try:
        world.daemon.start()
        version = world.engine.call("GET", "/version")["Version"]
        print(f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, engine {version}, "
              f"medians of {options.rounds}", flush=True)
        for name, part in parts.items():
            if not options.only or options.only == name:
                part()
    finally:
        world.close()
    print(f"\n| work | stackd | floor | |\n| --- | --- | --- | --- |")
    for entry in ROWS:
        print("| " + " | ".join(entry) + " |")
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
