"""The least that the engine must be asked for, whoever asks: no files read, nothing stored, nothing checked. What stackd
needs beyond it is stackd's own cost."""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from harness import IMAGE, Engine, UnixConnection  # noqa: E402


class Floor:
    """One network and `count` containers, made by as many threads, each with a connection of its own."""

    def __init__(self, count, hook=False, chain=False):
        self.count, self.hook, self.chain = count, hook, chain
        self.name = f"floor{os.getpid()}"
        self.socket = Engine().socket
        self.local = threading.local()
        self.ids = [None] * count

    def call(self, method, path, body=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = UnixConnection(self.socket, 120)
        connection = self.local.connection
        connection.request(method, "/v1.41" + path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:200]}")
        if response.will_close:
            connection.close()
            del self.local.connection
        try:
            return json.loads(data) if data else None
        except ValueError:
            return None

    def execute(self, container):
        """`true` inside, to its end. Returns its exit code."""
        made = self.call("POST", f"/containers/{container}/exec",
                         {"Cmd": ["true"], "AttachStdout": True, "AttachStderr": True})["Id"]
        self.call("POST", f"/exec/{made}/start", {"Detach": False, "Tty": False})
        return self.call("GET", f"/exec/{made}/json")["ExitCode"]

    def create(self, number):
        self.ids[number] = self.call("POST", f"/containers/create?name={self.name}-{number}", {
            "Image": IMAGE, "Cmd": ["sleep", "infinity"],
            "HostConfig": {"Init": True, "NetworkMode": self.name}})["Id"]

    def start(self, number):
        self.call("POST", f"/containers/{self.ids[number]}/start")
        if self.hook or self.chain:
            self.execute(self.ids[number])

    def create_and_start(self, number):
        self.create(number)
        self.start(number)

    def take_down(self, number):
        self.call("POST", f"/containers/{self.ids[number]}/stop")
        self.call("DELETE", f"/containers/{self.ids[number]}?v=1")

    def run(self):
        """Seconds of the way up and of the way down."""
        with ThreadPoolExecutor(self.count) as pool:
            began = time.perf_counter()
            self.call("POST", "/networks/create", {"Name": self.name, "CheckDuplicate": True})
            if self.chain:
                list(pool.map(self.create, range(self.count)))
                for number in range(self.count):
                    self.start(number)
            else:
                list(pool.map(self.create_and_start, range(self.count)))
            up = time.perf_counter() - began
            began = time.perf_counter()
            list(pool.map(self.take_down, range(self.count)))
            self.call("DELETE", f"/networks/{self.name}")
            return up, time.perf_counter() - began
