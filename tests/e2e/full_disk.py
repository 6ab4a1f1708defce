"""The disk of the daemon's home is full at any moment: nothing is lost or done twice, and it goes on by itself."""

import os
import random
import signal
import subprocess
import time

from harness import check, equal, wait_until
from scenarios import scenario

STACK = """
owned:
  api: {cmd: "echo api; exec sleep 1000", restart: on-failure}
lifecycle:
  before_up: ['echo before_up >> t/trace; yes | head -c 20000', 'sleep 0.2; echo second >> t/trace']
  after_up: ['echo after_up >> t/trace']
  before_down: ['echo before_down >> t/trace']
  after_down: ['echo after_down >> t/trace']
"""


class SmallHome:
    """The world's home on a disk of a few megabytes, which can be filled."""

    def __init__(self, world, size="24m"):
        self.world, self.home = world, world.path("home")
        self.ballast = os.path.join(self.home, "ballast")
        os.makedirs(self.home, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", self.home], check=True)

    def fill(self):
        try:
            with open(self.ballast, "ab", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
        except OSError:
            pass

    def free(self):
        if os.path.exists(self.ballast):
            os.unlink(self.ballast)

    def __enter__(self):
        self.world.daemon.start()
        return self

    def __exit__(self, *_):
        self.free()
        self.world.daemon.stop()
        subprocess.run(["umount", "-l", self.home], check=False)


@scenario("The disk is full at random moments of up and down: each hook runs once, every operation ends by itself when there is room",
          daemon=False)
def random_moments(world):
    """STACKD_FULL_DISKS=200 is for a person who waits."""
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    with SmallHome(world) as disk:
        world.stack(STACK)
        for turn in range(int(os.environ.get("STACKD_FULL_DISKS", "12"))):
            verb, hooks = (("up", ["before_up", "second", "after_up"]), ("down", ["before_down", "after_down"]))[turn % 2]
            before = len(world.lines("stack/t/trace"))
            client = world.spawn(verb)
            time.sleep(dice.random() * 0.5)  # the moment is the point
            disk.fill()
            time.sleep(dice.random())
            disk.free()
            result = world.end_of(client, limit=60)
            if result.code != 0:  # refused before it began, or failed by name; then it is asked for again
                check("disk" in result.text or "space" in result.text or "full" in result.text, f"why it failed (seed {seed}): {result}")
                world.ctl(verb).expect(0)
                if turn % 2 == 0:
                    continue
            lines = world.lines("stack/t/trace")[before:]
            if result.code == 0:
                equal(lines, hooks, f"the hooks of turn {turn}, {verb} (seed {seed})")
        world.ctl("down").expect(0)
        world.nothing_left()


@scenario("A daemon whose disk is full starts, and does what it must when there is room; a killed process is then started again",
          daemon=False)
def starts_on_a_full_disk(world):
    with SmallHome(world) as disk:
        world.stack(STACK)
        world.ctl("up").expect(0)
        disk.fill()
        world.daemon.kill()
        world.daemon.start()  # it answers
        pid = world.daemon.get(f"/v1/stacks/{world.status()['id']}/top")["services"][0]["processes"][0]["pid"]
        os.kill(pid, signal.SIGKILL)
        time.sleep(1.5)  # it is tried, and cannot be written
        disk.free()
        wait_until(lambda: world.status()["status"] == "up" and not os.path.exists(f"/proc/{pid}"), "the process to run again", limit=60)
        world.ctl("down").expect(0)
