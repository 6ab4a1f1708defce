"""kill -9 of the daemon: what it started lives on, and the next daemon finds it again."""

import os
import signal
import subprocess
import time

from harness import BIN, IMAGE, check, equal, wait_until
from scenarios import scenario

STACK = f"""
services:
  box: {{image: {IMAGE}, init: true, command: sleep infinity, pre_stop: [{{command: sh -c 'echo pre_stop >> /t/trace'}}],
         volumes: ["./t:/t"]}}
owned:
  api: {{cmd: "echo start >> t/starts; exec busybox httpd -f -p 127.0.0.1:$PORT -h .", port: {{env: PORT}},
         ready_when: {{tcp: "${{owned.api.port}}"}}}}
lifecycle: {{after_up: ["echo after_up >> t/trace"], before_down: ["echo before_down >> t/trace"], after_down: ["echo after_down >> t/trace"]}}
"""


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


@scenario("T33: kill -9 with a stack up: everything lives on, status is right at once, and down takes all")
def killed_while_up(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    before = world.services()
    pid = before["api"]["pid"]
    world.daemon.kill()
    check(alive(pid), "the host process died with the daemon")
    equal(len(world.engine.running(world.project)), 1, "running containers while no daemon runs")

    world.daemon.start()
    after = world.services()
    equal(world.status()["status"], "up", "status right after the restart")
    equal(after["api"]["pid"], pid, "the host process")
    equal({name: service["status"] for name, service in after.items()}, {"box": "ready", "api": "ready"}, "services")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/starts"), ["start"], "starts of the process")
    equal(world.lines("stack/t/trace"), ["after_up"], "hooks until now")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["after_up", "before_down", "pre_stop", "after_down"], "hooks in the end")
    check(not alive(pid), "the host process outlived down")
    world.nothing_left()


@scenario("A host process that dies while no daemon runs is seen dead by the next one")
def died_meanwhile(world):
    world.stack(STACK)
    world.ctl("up").expect(0)
    pid = world.services()["api"]["pid"]
    world.daemon.kill()
    os.kill(pid, 9)
    wait_until(lambda: not alive(pid), "the process's end")
    world.daemon.start()
    wait_until(lambda: world.services()["api"]["status"] in ("exited", "failed"), "the next daemon to see it")
    check(world.status()["status"] != "up", "a stack with a dead process is not up")
    world.ctl("up").expect(0)
    equal(world.status()["status"], "up", "status after another up")
    equal(world.lines("stack/t/starts"), ["start", "start"], "starts of the process")


@scenario("kill -9 while a hook runs: the hook goes on, is waited for, and runs once; the client reconnects")
def killed_in_a_hook(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["echo began >> t/trace; while [ ! -e t/go ]; do sleep 0.05; done; echo ended >> t/trace"]}
""")
    client = world.spawn("up")
    wait_until(lambda: world.lines("stack/t/trace"), "the hook to begin")
    world.daemon.kill()
    world.daemon.start()
    time.sleep(0.3)  # not for luck: the hook must still be waited for after a while
    equal(world.lines("stack/t/trace"), ["began"], "the hook is neither ended nor run again")
    world.file("stack/t/go", "")
    world.end_of(client).expect(0)
    equal(world.lines("stack/t/trace"), ["began", "ended"], "the hook ran once")
    run = world.hooks()[0]
    equal((run["state"], run["exit_code"], run["attempt"]), ("succeeded", 0, 1), "the hook's record")


@scenario("kill -9 and SIGTERM of the daemon under logs -f and hooks -f: they go on, with every line once")
def followed_across_daemons(world):
    count = "n=0; while [ ! -e t/go ]; do n=$((n+1)); echo line-$n-; sleep 0.02; done; echo last-words"
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sh -c '{count.replace("t/go", "/t/go").replace("$", "$$")}; sleep infinity'
    volumes: ["./t:/t"]
owned: {{proc: {{cmd: "{count}; exec sleep 1000"}}}}
lifecycle: {{after_up: ["{count}"]}}
""")
    up = world.spawn("up")
    wait_until(lambda: "after_up" in world.ctl("hooks").out, "the hook to begin")
    followers = [world.spawn("logs", "-f", "box", "proc"), world.spawn("hooks", "-f", "after_up")]
    shown = lambda n: world.read(f"spawned-{n}.log")
    for end in (world.daemon.kill, world.daemon.stop):
        before = [shown(n).count("line-") for n in (1, 2)]
        wait_until(lambda: all(shown(n).count("line-") > b + 20 for n, b in zip((1, 2), before)), "lines", limit=20)
        end()
        time.sleep(0.5)  # not for luck: lines are written that no daemon sees
        world.daemon.start()
    world.file("stack/t/go", "")
    world.end_of(followers[1]).expect(0)
    world.end_of(up)
    wait_until(lambda: shown(1).count("last-words") == 2, "the last lines", limit=20)
    followers[0].send_signal(signal.SIGINT)
    world.end_of(followers[0])
    for name, text in (("box ", shown(1)), ("proc ", shown(1)), ("line-", shown(2))):
        lines = [line.split("line-")[1] for line in text.splitlines() if line.startswith(name) and "line-" in line]
        equal(lines, [f"{n}-" for n in range(1, len(lines) + 1)], f"the lines of {name}")
        check(len(lines) > 40, f"{name}has {len(lines)} lines")


@scenario("E1: kill -9 while an exec hook runs in a container: its output and its real exit code are kept")
def killed_in_an_exec_hook(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    post_start:
      - command: sh -c 'echo began >> /t/trace; while [ ! -e /t/go ]; do sleep 0.05; done; echo last words; exit 7'
        on_failure: warn
""")
    client = world.spawn("up")
    wait_until(lambda: world.lines("stack/t/trace"), "the hook to begin")
    world.daemon.kill()
    world.file("stack/t/go", "")
    world.daemon.start()
    world.end_of(client).expect(0)
    run = [run for run in world.hooks() if run["phase"] == "post_start"]
    equal([r["exit_code"] for r in run], [7], "the exit code of the one run")
    with open(run[0]["log"], encoding="utf-8") as log:
        check("last words" in log.read(), "the output after the daemon's death is lost")
    equal(world.lines("stack/t/trace"), ["began"], "the hook ran once")


@scenario("A daemon that is asked to end (SIGTERM) lets go within seconds, and the next one carries the operation on")
def stopped_in_the_middle(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["echo began >> t/trace; while [ ! -e t/go ]; do sleep 0.05; done"]}
""")
    client = world.spawn("up")
    wait_until(lambda: world.lines("stack/t/trace"), "the hook to begin")
    equal(world.daemon.stop(limit=15), 0, "the daemon's exit code")
    world.file("stack/t/go", "")
    world.daemon.start()
    world.end_of(client).expect(0)
    equal(world.lines("stack/t/trace"), ["began"], "the hook ran once")
    equal(world.status()["status"], "up", "status")


@scenario("A closed terminal (SIGHUP) ends a daemon in the foreground as SIGTERM does; one under nohup it does not", daemon=False)
def hung_up(world):
    world.daemon.start()
    world.daemon.process.send_signal(signal.SIGHUP)
    equal(world.daemon.process.wait(20), 0, "exit code")
    check(not os.path.exists(world.daemon.socket), "its socket is still there")
    with open(world.daemon.log, "ab") as log:
        world.daemon.process = subprocess.Popen(
            ["nohup", os.path.join(BIN, "stackd")], env=world.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(world.daemon.answers, "the daemon under nohup")
    world.daemon.process.send_signal(signal.SIGHUP)
    equal(world.daemon.stop(), 0, "exit code")
    check("signal 15" in world.daemon.tail() and world.daemon.tail().count("signal 1:") == 1, world.daemon.tail())


@scenario("A second daemon on the same home is refused, and takes nothing from the first")
def second_daemon(world):
    second = subprocess.run([os.path.join(BIN, "stackd")], env=world.environment, stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=20, check=False)
    check(second.returncode not in (0, -11, -6), f"exit code {second.returncode}")
    check(b"cannot" in second.stderr + second.stdout, f"it says why: {second.stderr}")
    check(world.daemon.answers(), "the first daemon still answers")
