#!/usr/bin/env python3
"""stackd under a real systemd: PID 1 of a container of this machine's own release. Checks what the units in systemd/
promise: start by socket, readiness, watchdog, restart after kill -9 with a host process that lives on, stop.

  tests/e2e/systemd/run.py [--counts FILE]      as root; STACKD_BIN names the release binaries"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
from harness import BIN, ROOT, Engine, Failure, check, demultiplex, equal, request, wait_until  # noqa: E402

BINARIES = ["stackd", "stackctl", "stackd-shim"]
STACK = """
name: unit
owned:
  api: {cmd: "echo start >> starts; exec sleep 1000"}
"""


class Machine:
    """A container whose PID 1 is systemd, with the binaries and the units in their places."""

    def __init__(self):
        self.engine = Engine()
        image = self.ensure_image()
        units = os.path.join(ROOT, "systemd")
        binds = [f"{BIN}/{name}:/usr/bin/{name}:ro" for name in BINARIES]
        binds += [f"{units}/stackd.service:/usr/lib/systemd/user/stackd.service:ro",
                  f"{units}/stackd.socket:/usr/lib/systemd/user/stackd.socket:ro",
                  f"{units}/stackd@.service:/usr/lib/systemd/system/stackd@.service:ro",
                  "/sys/fs/cgroup:/sys/fs/cgroup:rw"]
        self.id = self.engine.call("POST", "/containers/create", {
            "Image": image, "Cmd": ["/lib/systemd/systemd"], "Env": ["container=docker"],
            "Labels": {"stackd.e2e": "systemd"}, "StopSignal": "SIGRTMIN+3",
            "HostConfig": {"Binds": binds, "CapAdd": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"], "CgroupnsMode": "host",
                           "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
                           "MaskedPaths": [], "ReadonlyPaths": [],
                           "Tmpfs": {"/run": "exec", "/run/lock": "", "/tmp": "exec"}}})["Id"]
        self.engine.call("POST", f"/containers/{self.id}/start")
        wait_until(lambda: self.sh("systemctl is-system-running", check_code=False)[1].strip() in ("running", "degraded"),
                   "systemd to be up", limit=60)
        # A user manager of root's, as a login makes one.
        self.sh("systemctl start user@0.service")
        wait_until(lambda: self.user("is-system-running", check_code=False)[1].strip() in ("running", "degraded"),
                   "the user manager", limit=60)

    def ensure_image(self):
        """The image's name. It is made again when the binaries need other libraries than those in it."""
        make = os.path.join(HERE, "make_image.sh")
        binaries = [os.path.join(BIN, name) for name in BINARIES]
        packages = subprocess.run([make, "--packages"] + binaries, check=True, capture_output=True, text=True).stdout
        with open(make, encoding="utf-8") as recipe:
            digest = hashlib.sha256((packages + recipe.read()).encode()).hexdigest()[:12]
        image = f"stackd-test/systemd:{digest}"
        status, _ = request(self.engine.socket, "GET", f"/v1.41/images/{image}/json")
        if status == 200:
            return image
        tar = os.path.join(ROOT, f"build/cache/systemd-{digest}.tar")
        if not os.path.exists(tar):
            subprocess.run([make, tar] + binaries, check=True)
        name, tag = image.split(":")
        subprocess.run(["curl", "-sS", "-f", "--unix-socket", self.engine.socket, "-X", "POST", "-o", "/dev/null",
                        "-H", "Content-Type: application/x-tar", "-T", tar,
                        f"http://engine/v1.41/images/create?fromSrc=-&repo={name}&tag={tag}"], check=True)
        return image

    def sh(self, command, check_code=True):
        """(exit code, output) of a shell command inside."""
        made = self.engine.call("POST", f"/containers/{self.id}/exec", {
            "Cmd": ["sh", "-c", command], "AttachStdout": True, "AttachStderr": True,
            "Env": ["XDG_RUNTIME_DIR=/run/user/0", "HOME=/root", "NO_COLOR=1"]})["Id"]
        text = demultiplex(self.engine.call("POST", f"/exec/{made}/start", {"Detach": False, "Tty": False}, raw=True))
        code = self.engine.call("GET", f"/exec/{made}/json")["ExitCode"]
        if check_code and code != 0:
            raise Failure(f"{command} -> {code}\n{text}")
        return code, text

    def user(self, arguments, check_code=True):
        return self.sh("systemctl --user " + arguments, check_code)

    def show(self, name):
        return self.user(f"show -P {name} stackd.service")[1].strip()

    def close(self):
        self.engine.call("DELETE", f"/containers/{self.id}?force=1&v=1", good=(204, 404))


def by_socket(machine):
    machine.user("enable --now stackd.socket")
    equal(machine.show("ActiveState"), "inactive", "the service before the first client")
    machine.sh("stackctl version")
    equal(machine.show("ActiveState"), "active", "the service after the first client")
    equal(machine.sh("stat -c %a /run/user/0/stackd/stackd.sock")[1].strip(), "600", "mode of the socket")


def ready(machine):
    """Type=notify: active means that READY=1 came."""
    equal(machine.show("Type"), "notify", "the unit's type")
    check(machine.show("StatusText"), "the daemon has told no status text")
    check(int(machine.show("ExecMainStartTimestampMonotonic")) <= int(machine.show("ActiveEnterTimestampMonotonic")),
          "active only after the start")


def watchdog(machine):
    equal(machine.show("WatchdogUSec"), "30s", "the watchdog's interval")
    check(int(machine.show("WatchdogTimestampMonotonic") or 0) > 0, "no beat was ever received")


def restarted(machine):
    machine.sh(f"mkdir -p /root/stack && cd /root/stack && printf '%s' '{STACK}' > stackd.yaml && stackctl up")
    process = json.loads(machine.sh("cd /root/stack && stackctl --json status")[1])["services"][0]["pid"]
    daemon = machine.show("MainPID")
    machine.sh(f"kill -9 {daemon}")
    wait_until(lambda: machine.show("ActiveState") == "active" and machine.show("MainPID") not in ("0", daemon),
               "systemd to start it again")
    status = json.loads(machine.sh("cd /root/stack && stackctl --json status")[1])
    equal(status["status"], "up", "the stack right after")
    equal(status["services"][0]["pid"], process, "the host process")
    machine.sh(f"kill -0 {process}")
    equal(machine.show("NRestarts"), "1", "restarts")


def hung(machine):
    """A daemon that does not beat is replaced. (It is stopped with SIGSTOP; the interval is shortened by a drop-in.)"""
    machine.sh("mkdir -p /etc/systemd/user/stackd.service.d && printf '[Service]\\nWatchdogSec=2s\\n' > "
               "/etc/systemd/user/stackd.service.d/watchdog.conf")
    machine.user("daemon-reload")
    machine.user("restart stackd.service")
    before = machine.show("MainPID")
    time.sleep(3)  # longer than the interval: the beats keep it alive
    equal(machine.show("MainPID"), before, "a daemon that beats is left alone")
    machine.sh(f"kill -STOP {before}")
    wait_until(lambda: machine.show("ActiveState") == "active" and machine.show("MainPID") not in ("0", before),
               "the watchdog to replace it", limit=30)
    equal(json.loads(machine.sh("cd /root/stack && stackctl --json status")[1])["status"], "up", "the stack after that")


def stopped(machine):
    process = json.loads(machine.sh("cd /root/stack && stackctl --json status")[1])["services"][0]["pid"]
    machine.user("stop stackd.service")
    equal(machine.show("Result"), "success", "how it ended")
    machine.sh(f"kill -0 {process}")
    # The socket still listens: the next client starts it again, and down takes the process away.
    machine.sh("cd /root/stack && stackctl down")
    check(machine.sh(f"kill -0 {process}", check_code=False)[0] != 0, "the host process outlived down")
    equal(machine.sh("cat /root/stack/starts")[1].split(), ["start"], "starts of the process")


def system_unit(machine):
    machine.sh("systemctl start stackd@root.service")
    machine.sh("STACKD_SOCKET=/run/stackd-root/stackd.sock stackctl version")
    equal(machine.sh("stat -c '%a %U' /var/lib/stackd/root")[1].strip(), "700 root", "the state directory")
    machine.sh("systemctl stop stackd@root.service")
    equal(machine.sh("systemctl show -P Result stackd@root.service")[1].strip(), "success", "how it ended")


CHECKS = [
    ("systemd: the first client starts the daemon through its socket", by_socket),
    ("systemd: the service is active when the daemon says that it is ready", ready),
    ("systemd: the watchdog is set and gets its beats", watchdog),
    ("systemd: after kill -9 it is started again, and a host process lives on", restarted),
    ("systemd: a daemon that hangs is replaced by the watchdog", hung),
    ("systemd: stop ends the daemon and nothing else; the next client starts it again", stopped),
    ("systemd: the system's unit runs it for one user, with its state in /var/lib/stackd", system_unit),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts")
    options = parser.parse_args()
    machine = Machine()
    failed = 0
    try:
        for sentence, function in CHECKS:
            started = time.monotonic()
            try:
                function(machine)
                print(f"ok     {time.monotonic() - started:5.1f} s  {sentence}", flush=True)
            except Failure as failure:
                failed += 1
                print(f"FAILED {time.monotonic() - started:5.1f} s  {sentence}\n       {failure}", flush=True)
                print(machine.sh("journalctl --no-pager -n 30 2>&1", check_code=False)[1])
    finally:
        machine.close()
    if options.counts:
        with open(options.counts, "w", encoding="utf-8") as file:
            file.write(f"{len(CHECKS) - failed} {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
