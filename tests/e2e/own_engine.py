"""An engine of a scenario's own. It may be stopped and started, its images may have anybody's names, and prune may take what
it likes, without anyone else noticing. Its network is a namespace of its own, or it took docker0 away from the machine's
engine: ports of its containers cannot be reached from here."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

from harness import IMAGE, Engine, Failure, UnixConnection, request, wait_until


class OwnEngine(Engine):
    def __init__(self):
        super().__init__()
        self.theirs = self.socket
        self.base = tempfile.mkdtemp(prefix="sde-", dir="/tmp")
        self.socket = os.path.join(self.base, "s")
        self.process = None

    def start(self):
        with open(os.path.join(self.base, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "dockerd", "--data-root", os.path.join(self.base, "data"), "--exec-root", os.path.join(self.base, "exec"),
                 "--pidfile", os.path.join(self.base, "pid"), "-H", f"unix://{self.socket}",
                 "--iptables=false", "--ip6tables=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.answers() or self.process.poll() is not None, "an engine of our own", limit=60)
        if self.process.poll() is not None:
            with open(os.path.join(self.base, "log"), encoding="utf-8", errors="replace") as log:
                raise Failure(f"dockerd did not start:\n{log.read()[-2000:]}")
        return self

    def answers(self):
        try:
            return request(self.socket, "GET", "/_ping", timeout=5)[0] == 200
        except OSError:
            return False

    def load(self, image=IMAGE):
        """Takes an image over from the machine's engine."""
        _, tar = request(self.theirs, "GET", f"/v1.41/images/{image}/get", raw=True)
        connection = UnixConnection(self.socket)
        connection.request("POST", "/v1.41/images/load?quiet=1", tar, {"Content-Type": "application/x-tar"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise Failure(f"cannot load {image}: {answer.status} {text}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(60)
        # The containerd of a dockerd that was killed is found again by the next one, but not on every machine.
        containerd = os.path.join(self.base, "exec/containerd/containerd.pid")
        if number == signal.SIGKILL and os.path.exists(containerd):
            with open(containerd, encoding="utf-8") as pid:
                os.kill(int(pid.read()), signal.SIGKILL)
            os.unlink(containerd)

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        # A dockerd that was killed leaves its containerd, the shims and their mounts.
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as line:
                    if entry.isdigit() and int(entry) != os.getpid() and self.base.encode() in line.read():
                        os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass
        with open("/proc/mounts", encoding="utf-8") as mounts:
            for mount in sorted((line.split()[1] for line in mounts if self.base in line), reverse=True):
                subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.base, ignore_errors=True)


@contextlib.contextmanager
def own_engine(world):
    """In it the world's daemon, which this starts, and the scenario have an engine of their own, with IMAGE in it."""
    theirs, engine = world.engine, OwnEngine().start()
    try:
        engine.load()
        world.engine = engine
        world.environment["STACKD_DOCKER_HOST"] = "unix://" + engine.socket
        world.daemon.start()
        yield engine
    finally:
        try:
            world.daemon.stop()
        finally:
            engine.close()
            world.engine = theirs


def on_own_engine(function):
    """A scenario that is run so; it is to be registered with `daemon=False`."""

    def run(world):
        with own_engine(world):
            function(world)

    return run
