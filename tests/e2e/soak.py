"""Many ups and downs, some of which fail or lose their daemon: nothing of it stays behind."""

import os
import sqlite3

from harness import IMAGE, equal, wait_until
from scenarios import scenario

STACK = f"""
services:
  web: {{image: {IMAGE}, init: true, command: sleep infinity, stop_signal: SIGKILL, post_start: [{{command: "true"}}]}}
owned: {{api: {{cmd: "echo api; exec sleep 1000", ready_when: {{log_match: api}}}}}}
lifecycle:
  before_up: ["echo before_up"]
  after_up: ["exit FAILS"]
  before_down: ["echo before_down"]
"""


def in_memory(world):
    """What the daemon holds."""
    proc = f"/proc/{world.daemon.process.pid}"
    with open(f"{proc}/status", encoding="utf-8") as file:
        status = dict(line.split(":", 1) for line in file)
    return {"memory in KB": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]), "descriptors": len(os.listdir(f"{proc}/fd"))}


def on_disk(world):
    """What it keeps: files by folder, rows by table."""
    files = {}
    for folder, _, names in os.walk(world.daemon.home):
        kind = "files in " + "/".join(part for part in os.path.relpath(folder, world.daemon.home).split("/")[::2])
        for name in names if kind == "files in stacks" else ():  # few, and each by its name
            files[f"{name} of stacks"] = files.get(f"{name} of stacks", 0) + 1
        if kind != "files in stacks":
            files[kind] = files.get(kind, 0) + len(names)
    with sqlite3.connect(f"file:{world.daemon.home}/state.db?mode=ro", uri=True) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        rows = {f"rows of {table}": db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    return {**files, **rows}


def grown(before, after, slack):
    return {name: (before.get(name, 0), value) for name, value in after.items() if value > before.get(name, 0) + slack.get(name, 0)}


@scenario("A soak of ups and downs, some failing, some with a killed daemon: no growth of memory, descriptors, threads, files or rows beyond what is kept", daemon=False)
def soak(world):
    """STACKD_SOAK=500 is for a person who waits."""
    turns = int(os.environ.get("STACKD_SOAK", "12"))
    start = lambda: world.daemon.start(options=("--operations-kept", "4", "--operations-kept-days", "0", "--events-kept", "1000"))

    def one(number, kills=False):
        world.stack(STACK.replace("FAILS", "1" if number % 5 == 4 else "0"))
        client = world.spawn("up")
        if kills and number % 3 == 2:
            wait_until(lambda: client.poll() is not None or world.operations("up"), "the up to begin")
            world.daemon.kill()
            start()
        world.end_of(client)
        wait_until(lambda: all(o["state"] != "running" for o in world.daemon.get("/v1/operations")["operations"]), "every operation to end")
        world.ctl("down", "-v").expect(0)

    def fresh():
        """What is too old goes when a daemon starts, and each hour."""
        if world.daemon.process:
            world.daemon.stop()
        start()
        for number in range(2, 6):  # one of them fails
            one(number)

    fresh()
    fresh()
    kept = on_disk(world)
    for number in range(turns // 2):
        one(number, kills=True)
    fresh()
    equal(grown(kept, on_disk(world), {"rows of events": 1000, "files in stacks/logs/web": 100}), {}, "what has grown on disk, from and to")
    held = in_memory(world)
    for number in range(turns // 2):
        one(number)
    more = lambda: grown(held, in_memory(world), {"memory in KB": 4000})
    wait_until(lambda: not more(), f"nothing to have grown in the daemon, from and to: {more()}", 20)  # connections are kept a while
    world.nothing_left()
