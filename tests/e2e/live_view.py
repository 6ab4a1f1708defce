"""The live view in a real terminal (tmux): nothing of it stays behind, whatever the size, and whoever ends it."""

import os
import re
import signal
import subprocess

from harness import check, equal, wait_until
from scenarios import scenario

SPINNER = re.compile("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]")


class Tmux:
    """A stackctl in a window of tmux, whose scrollback is kept."""

    def __init__(self, world, *arguments, columns=80, rows=24, locale="C.UTF-8"):
        self.socket = os.path.join(world.short, "tmux")
        words = " ".join(f"'{word}'" for word in world.command(*arguments))
        environment = dict(world.environment, TERM="screen", LC_ALL=locale)
        self.call("new-session", "-d", "-x", str(columns), "-y", str(rows), "-s", "a",
                  f"{words}; echo EXIT $?; sleep 1000", environment=environment)
        self.call("set-option", "-g", "history-limit", "100000")

    def call(self, *arguments, environment=None):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *arguments], env=environment,
                              capture_output=True, text=True, check=True)
        return done.stdout

    def screen(self):
        return self.call("capture-pane", "-p", "-t", "a").splitlines()

    def everything(self):
        """What is on the screen and in the scrollback, without empty lines."""
        return [line for line in self.call("capture-pane", "-p", "-S", "-", "-t", "a").splitlines() if line]

    def shows(self, words):
        wait_until(lambda: any(words in line for line in self.screen()), f"{words!r} on a screen of {self.screen()}")

    def ended(self):
        wait_until(lambda: any(line.startswith("EXIT") for line in self.everything()), "its end", 60)
        return self.everything()

    def cursor(self):
        return self.call("display-message", "-p", "-t", "a", "#{cursor_flag}").strip() == "1"

    def close(self):
        self.call("kill-server")


def many(count):
    services = "".join(f"  service-{i:02}: {{cmd: 'while [ ! -e go ]; do sleep 0.1; done; echo ready; exec sleep 1000', "
                       "cwd: t, ready_when: {log_match: ready}}\n" for i in range(count))
    return ("owned:\n" + services + "lifecycle:\n  before_up:\n"
            "    - for i in 1 2 3; do echo a line of the hook that is a lot longer than any window is wide, number $i; sleep 0.2; done\n")


@scenario("the live view of 25 services at 80x24, and of others at 200x50, leaves its last table in the scrollback and nothing else")
def nothing_stays(world):
    for columns, rows in ((80, 24), (200, 50)):
        world.stack(many(25))
        tmux = Tmux(world, "up", columns=columns, rows=rows)
        tmux.shows("before_up[0]")
        tmux.shows("up  0/25 ready")
        tmux.shows("waiting")
        check(not tmux.cursor(), "the cursor is hidden while it lives")
        check(len(tmux.screen()) <= rows and all(len(line) <= columns for line in tmux.screen()), "it stays in the window")
        world.file("stack/t/go", "")
        lines = tmux.ended()
        equal([line for line in lines if SPINNER.search(line)], [], f"spinner lines at {columns}x{rows}")
        equal(len([line for line in lines if line.startswith("service-")]), 25, "the table has each service once")
        equal(len(lines), 28, f"lines in all: {lines}")
        check(tmux.cursor(), "the cursor is back")
        tmux.close()
        world.ctl("down").expect(0)
        os.unlink(world.path("stack/t/go"))


@scenario("a window that becomes smaller and larger under the live view eats nothing that stood above it, and the cursor is back when stackctl is ended from outside")
def resized(world):
    world.stack(many(6) + "    - echo careful >&2\n")
    tmux = Tmux(world, "up", columns=100, rows=30)
    tmux.shows("waiting")
    for columns, rows in ((60, 20), (120, 40), (70, 12), (100, 30)):
        tmux.call("resize-window", "-t", "a", "-x", str(columns), "-y", str(rows))
        wait_until(lambda: sum("ready  " in line for line in tmux.screen()) == 1, f"one head line at {columns}x{rows}: {tmux.screen()}")
    equal(len([line for line in tmux.everything() if line.strip() == "careful"]), 1, "what a hook wrote to stderr")
    shell = tmux.call("display-message", "-p", "-t", "a", "#{pane_pid}").strip()
    client = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True).stdout
    os.kill(int(client), signal.SIGTERM)
    tmux.ended()
    check(tmux.cursor(), "the cursor is back")
    tmux.close()
    world.file("stack/t/go", "")
    wait_until(lambda: world.ended("up"), "the up, which goes on without its client")


@scenario("without a locale, with TERM=dumb, and in 40 columns an up is told in plain lines, none twice")
def plain(world):
    for columns, locale in ((40, "C.UTF-8"), (80, "C")):
        world.stack(many(2))
        world.file("stack/t/go", "")
        tmux = Tmux(world, "up", columns=columns, rows=12, locale=locale)
        lines = tmux.ended()
        equal([line for line in lines if SPINNER.search(line)], [], "spinner lines")
        equal(len([line for line in lines if line.startswith("service-00: waiting")]), 1, f"in {columns} columns: {lines}")
        tmux.close()
        world.ctl("down").expect(0)
