"""The live view in a real terminal (tmux): nothing of it stays behind, whatever the size, and whoever ends it."""

import os
import re
import signal
import socket
import subprocess

from harness import IMAGE, check, equal, wait_until
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
            "    - for i in 1 2 3 4; do echo a line of the hook that is a lot longer than any window is wide, number $i; sleep 0.3; done\n")


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
        equal(len([line for line in lines if line.startswith("slowest: ")]), 1, "its slowest part")
        equal(len(lines), 29, f"lines in all: {lines}")
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


def hooks(*lines, phase="before_up"):
    return f"  {phase}:\n" + "".join(f"    - {line}\n" for line in lines)


ONE = "owned:\n  api: {cmd: 'echo api; exec sleep 1000', ready_when: {log_match: api}}\n"
# What happens, the stack, exit code, and what stands on the screen at the end.
STATES = (
    ("an up that works", ONE, 0, ("api", "ready")),
    ("a failing hook", ONE + "lifecycle:\n" + hooks("echo no such table users >&2; exit 3", phase="after_up"), 1, ("after_up[0]", "no such table users")),
    ("a failing process", "owned:\n  api: {cmd: 'echo FATAL set DATABASE_URL; exit 7', ready_when: {log_match: api}}\n", 1, ("api", "FATAL set DATABASE_URL")),
    ("a failing container", f"services:\n  web: {{image: {IMAGE}, command: sh -c 'echo FATAL no configuration; exit 9', healthcheck: {{test: 'false', interval: 1s}}}}\n",
     1, ("web", "FATAL no configuration")),
    ("a container that stays unhealthy", f"services:\n  web: {{image: {IMAGE}, command: sleep 1000, init: true, healthcheck: {{test: 'echo connection refused; exit 1', interval: 100ms, retries: 2}}}}\n",
     1, ("web", "connection refused")),
    ("an image that is nowhere", "services:\n  web: {image: 'stackd-test/nobody-has-this:1', pull_policy: never}\n", 1, ("web", "stackd-test/nobody-has-this:1")),
    ("a port that is taken", "owned:\n  api: {cmd: 'exec sleep 1000', ports: {http: {host_port: TAKEN}}}\n", None, ("TAKEN",)),
    ("a long hook", ONE + "lifecycle:\n" + hooks("for i in $(seq 60); do echo step $i of sixty; sleep 0.1; done"), 0, ("api", "slowest: before_up[0]")),
    ("five hundred lines", ONE + "lifecycle:\n" + hooks("seq 500"), 0, ("api", "ready")),
    ("sixty services", "owned:\n" + "".join(f"  s{i:02}: {{cmd: 'exec sleep 1000'}}\n" for i in range(60)), 0, ("s59",)),
)


@scenario("whatever becomes of an up, at 40x12, 80x24 and 200x50: its reason is on the last screen, nothing live in the scrollback, and the cursor is back")
def every_state(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for what, text, code, words in STATES:
            for columns, rows in ((40, 12), (80, 24), (200, 50)):
                where = f"{what} at {columns}x{rows}"
                world.stack(text.replace("TAKEN", port))
                tmux = Tmux(world, "up", columns=columns, rows=rows)
                if what == "a long hook" and columns > 40:  # plain lines there
                    tmux.shows("│ step ")
                lines = tmux.ended()
                if code is not None:
                    equal(lines[-1], f"EXIT {code}", where)
                equal([line for line in lines if SPINNER.search(line) or "│ step" in line], [], f"live rows that stayed, {where}")
                last = "".join(lines[-rows:])  # the window has broken long ones
                for word in words:
                    check(word.replace("TAKEN", port) in last, f"{word!r} on the last screen, {where}: {lines}")
                check(tmux.cursor(), f"the cursor is back, {where}")
                tmux.close()
                world.ctl("down").expect(0)
                if columns == 80 and what in ("a long hook", "sixty services"):
                    break  # long enough


@scenario("Ctrl-C once takes the up away and says so, twice leaves that to the daemon; a killed daemon under the live view is started again")
def interrupted(world):
    for presses in (1, 2):
        world.stack(many(3) + "  after_down: ['sleep 1']\n")
        tmux = Tmux(world, "up")
        tmux.shows("waiting")
        for _ in range(presses):
            tmux.call("send-keys", "-t", "a", "C-c")
        lines = tmux.ended()
        equal(lines[-1], "EXIT 130", f"after {presses}: {lines}")
        equal([line for line in lines if SPINNER.search(line)], [], "spinner lines")
        check(tmux.cursor(), "the cursor is back")
        tmux.close()
        wait_until(lambda: world.ended("up"), "the up to be taken away")
    tmux = Tmux(world, "up")
    tmux.shows("waiting")
    world.daemon.kill()
    world.daemon.start()
    world.file("stack/t/go", "")
    lines = tmux.ended()
    equal(lines[-1], "EXIT 0", f"its end: {lines}")
    equal([line for line in lines if SPINNER.search(line)], [], "spinner lines")
    tmux.close()
    world.ctl("down").expect(0)
