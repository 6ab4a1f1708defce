"""Moat's pre_run (M4): before the command, which the container then becomes."""

import json
import os
import signal
import time

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


def box(world):
    return world.engine.inspect(world.engine.containers(world.project, "box")[0]["Id"])


def runs(world):
    return [run for run in world.hooks() if run["phase"] == "pre_run"]


def process_one(world):
    pid = box(world)["State"]["Pid"]
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().replace(b"\0", b" ").decode().strip()


@scenario("M4.2, M4.4, M4.6, X23: pre_run runs as the container's user in its directory, then the container becomes the command by exec")
def becomes(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    user: "1001"
    working_dir: /t
    environment: {{OWN: value, i: mine, c: too, line: kept}}
    volumes: ["./t:/t"]
    command: ["sh", "-c", "env > env; trap 'exit 23' TERM; while :; do sleep 0.1; done"]
    hooks:
      pre_run:
        - echo to-stdout; echo to-stderr >&2; echo "$(id -u) $(pwd) $OWN $STACKD_PHASE $STACKD_INDEX $STACKD_SERVICE $STACKD_REASON" > hook
        - |
          echo first > lines
          echo second >> lines
        - {{command: [sh, -c, 'echo "$0" >> lines', "it's $HOME"]}}
""")
    world.ctl("up").expect(0)
    wait_until(lambda: "OWN" in world.read("stack/t/env"), "the command")
    equal(world.read("stack/t/hook").strip(), "1001 /t value pre_run 0 box up", "what the hook saw")
    equal(world.lines("stack/t/lines"), ["first", "second", "it's $HOME"], "the lines of the second, the words of the third")
    environment = world.lines("stack/t/env")
    for kept in ("OWN=value", "i=mine", "c=too", "line=kept"):
        check(kept in environment, f"{kept} in the command's environment: {environment}")
    check(not any("to-stdout" in line or "STACKD" in line or "_sd_" in line for line in environment),
          f"X23: the hook is in the command's environment: {environment}")
    check(process_one(world).startswith("sh -c env"), f"M4.6: process 1 is {process_one(world)}")
    found = runs(world)
    equal([(r["index"], r["place"], r["state"], r["exit_code"], r["attempt"]) for r in found],
          [(i, "entrypoint", "succeeded", 0, 1) for i in (0, 1, 2)], "the records")
    equal((found[0]["stdout_tail"].strip(), found[0]["stderr_tail"].strip()), ("to-stdout", "to-stderr"),
          "its output, told apart")
    check(found[0]["log"].endswith("/hooks/box.pre_run-0.log"), f"the log: {found[0]['log']}")
    with open(found[0]["log"], encoding="utf-8") as log:
        equal(log.read().split(), ["to-stdout", "to-stderr"], "the log")
    check("to-stdout" not in world.ctl("logs", "box").expect(0).out, "the hook's output is not the command's")
    world.ctl("stop").expect(0)
    equal(box(world)["State"]["ExitCode"], 23, "a signal reaches the command, and its status is the container's")


@scenario("M4.5, T17, X24: a pre_run that exits 3 ends the container with 3; the message names hook and command, the cause is told")
def failing(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    volumes: ["./t:/t"]
    command: ["sh", "-c", "touch /t/command; sleep infinity"]
    hooks:
      pre_run: echo it is not right >&2; exit 3
    post_start: [{{command: touch /t/post_start}}]
""")
    result = world.ctl("up", "--keep").expect(1, "box pre_run[0]", "exited with status 3", "touch /t/command", "it is not right")
    check(not os.path.exists(world.path("stack/t/command")), "the command was run")
    check(not os.path.exists(world.path("stack/t/post_start")), "post_start was run in a container that never came up")
    equal(box(world)["State"]["ExitCode"], 3, "the container's status")
    logs = world.ctl("logs", "box").expect(0, "pre_run[0] exited with status 3", "echo it is not right", "so the command was not run").out
    check("it is not right" in logs, "M4.5: what it said")
    operation = world.daemon.get("/v1/operations")["operations"][0]
    equal(operation["error"]["cause"]["kind"], "pre-run", f"X24: the operation's cause: {operation['error']}")
    equal(runs(world)[-1]["exit_code"], 3, "the record's status")
    service = world.services()["box"]
    equal(service["exit_code"], 3, "the service's status")
    check("pre_run[0]" in service["reason"], f"X24: the service's reason: {service['reason']}")
    world.ctl("down").expect(0)
    world.stack(world.read("stack/stackd.yaml").replace("exit 3", "exit 0").replace("touch /t/command; sleep infinity", "exit 3"))
    operation = world.ctl("--json", "up").expect(1)
    operation = world.daemon.get("/v1/operations")["operations"][0]
    check(operation["error"]["cause"]["kind"] != "pre-run", f"X24: a command that fails with 3: {operation['error']}")
    world.nothing_left()
    check(result.code == 1, "exit code")


@scenario("M4.6, M4.7, T18: pre_run with init, an image's ENTRYPOINT and CMD, both overridden, and a read-only root")
def commands(world):
    def image(*lines):
        return "build: " + json.dumps({"context": ".", "dockerfile_inline": "\n".join([f"FROM {IMAGE}", *lines]) + "\n"})

    says = json.dumps(["sh", "-c", "echo from $0 $1 > /t/$NAME; exec sleep infinity", "entrypoint"])
    both = image("ENTRYPOINT " + says, 'CMD ["cmd"]').replace("$", "$$")
    other = image('ENTRYPOINT ["false"]', 'CMD ["cmd"]')
    common = 'volumes: ["./t:/t"]\n    hooks: {pre_run: "echo hook > /t/$NAME.hook"}'
    world.stack(f"""
services:
  both:
    {both}
    {common}
    environment: {{NAME: both}}
  command:
    {both}
    {common}
    environment: {{NAME: command}}
    command: [overridden]
  entrypoint:
    {other}
    {common}
    environment: {{NAME: entrypoint}}
    entrypoint: ["sh", "-c", "echo from own $$# > /t/$$NAME; exec sleep infinity"]
  with-init:
    image: {IMAGE}
    init: true
    {common}
    environment: {{NAME: with-init}}
    command: sh -c 'echo from init > /t/$$NAME; exec sleep infinity'
  read-only:
    image: {IMAGE}
    read_only: true
    {common}
    environment: {{NAME: read-only}}
    command: sh -c 'echo from read-only > /t/$$NAME; exec sleep infinity'
""")
    world.ctl("up").expect(0)
    expected = {"both": "from entrypoint cmd", "command": "from entrypoint overridden", "entrypoint": "from own 0",
                "with-init": "from init", "read-only": "from read-only"}
    for name, text in expected.items():
        wait_until(lambda: world.read(f"stack/t/{name}").strip() == text, f"{name}: {text!r}, not {world.read(f'stack/t/{name}')!r}", limit=5)
        equal(world.read(f"stack/t/{name}.hook").strip(), "hook", f"the hook of {name}")
    world.ctl("down", "--rmi", "local", "-t", "1").expect(0)
    world.nothing_left()


@scenario("M4.1: each start is a run: stop and start, restart, and the engine's own restart policy")
def each_start(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    restart: always
    stop_grace_period: 1s
    volumes: ["./t:/t"]
    command: ["sh", "-c", "echo command >> /t/trace; exec sleep 1000"]
    hooks: {{pre_run: "echo pre_run $STACKD_REASON >> /t/trace; echo run $(wc -l < /t/trace)"}}
""")
    world.ctl("up").expect(0)
    world.ctl("stop").expect(0)
    world.ctl("start").expect(0)
    world.ctl("restart").expect(0)
    wait_until(lambda: len(world.lines("stack/t/trace")) == 6, "three starts")
    os.kill(box(world)["State"]["Pid"], signal.SIGKILL)
    wait_until(lambda: len(world.lines("stack/t/trace")) == 8, "the engine's restart", limit=20)
    equal(world.lines("stack/t/trace"), ["pre_run up", "command", "pre_run start", "command", "pre_run restart", "command",
                                         "pre_run container-restart", "command"], "what ran")
    wait_until(lambda: [r["state"] for r in runs(world)] == ["succeeded"] * 4, "the record of the fourth", limit=10)
    found = runs(world)
    equal([r["stdout_tail"].strip() for r in found], ["run 1", "run 3", "run 5", "run 7"], "their output")
    equal(found[3]["reason"], "container-restart", "why the fourth ran")
    equal(len({r["id"] for r in found}), 4, "ids")


@scenario("A restart by the engine while no daemon runs is on record when one does")
def while_away(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    restart: always
    volumes: ["./t:/t"]
    command: ["sh", "-c", "echo command >> /t/trace; exec sleep 1000"]
    hooks: {{pre_run: "echo pre_run >> /t/trace"}}
""")
    world.ctl("up").expect(0)
    pid = box(world)["State"]["Pid"]
    world.daemon.kill()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(world.lines("stack/t/trace")) == 4, "the engine's restart", limit=20)
    world.daemon.start()
    wait_until(lambda: [r["state"] for r in runs(world)] == ["succeeded"] * 2, "both records", limit=10)


@scenario("M4.3, X20: several lines of pre_run stop at the first failure; `set +e` opts out; one line is a shell's as it is")
def lines(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    volumes: ["./t:/t"]
    init: true
    command: sleep infinity
    hooks:
      pre_run:
        - false; echo one line >> /t/trace
        - |
          set +e
          false
          echo opted out >> /t/trace
        - |
          echo before >> /t/trace
          false
          echo after >> /t/trace
""")
    world.ctl("up").expect(1, "box pre_run[2]", "exited with status 1")
    equal(world.lines("stack/t/trace"), ["one line", "opted out", "before"], "what ran")
    world.nothing_left()


@scenario("pre_run's timeout, retries, on_failure, run: once, if, env and cwd")
def fields(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    volumes: ["./t:/t"]
    command: sleep infinity
    stop_grace_period: 0s
    hooks:
      pre_run:
        - {{cmd: 'echo "once [$OWN] $(pwd)" >> /t/trace', run: once, env: {{OWN: "it's mine"}}, cwd: /tmp}}
        - {{cmd: 'echo try >> /t/trace; [ $(grep -c try /t/trace) = 3 ]', retries: 3, retry_delay: 10ms}}
        - {{cmd: 'echo warned >&2; exit 5', on_failure: warn}}
        - {{cmd: echo never >> /t/trace, if: {{profile: other}}}}
""")
    world.ctl("up", "--keep").expect(0, "box pre_run[2]", "exited with status 5")
    equal(world.lines("stack/t/trace"), ["once [it's mine] /tmp", "try", "try", "try"], "what ran")
    equal([(r["index"], r["attempt"], r["state"]) for r in runs(world)],
          [(0, 1, "succeeded"), (1, 1, "failed"), (1, 2, "failed"), (1, 3, "succeeded"), (2, 1, "failed"), (3, 1, "skipped")],
          "the records")
    world.file("stack/t/trace", "try\ntry\n")
    world.ctl("restart").expect(0)
    equal(world.lines("stack/t/trace"), ["try", "try", "try"], "what ran again")
    world.ctl("down").expect(0)

    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    hooks: {{pre_run: [{{cmd: "sleep 1177 & sleep 1178", timeout: 1s}}]}}
""")
    began = time.monotonic()
    world.ctl("up").expect(1, "box pre_run[0]", "was out of time and was ended")
    check(time.monotonic() - began < 15, "it took too long")
    world.nothing_left()


@scenario("run: changed of a pre_run: it runs again when its inputs, its text or the image differ from the last success")
def changed(world):
    def stack(text):
        world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    network_mode: none
    scale: 2
    stop_grace_period: 0s
    volumes: ["./t:/t"]
    command: sleep infinity
    hooks:
      pre_run:
        - {{cmd: 'echo {text} >> /t/trace; test ! -e /t/bad', run: changed, inputs: [lock]}}
        - "true"
""")

    def ran(*command, code=0):
        world.file("stack/t/trace", "")
        os.chmod(world.path("stack/t/trace"), 0o666)
        world.ctl(*command).expect(code)
        return world.lines("stack/t/trace")
    world.file("stack/lock", "one")
    stack("first")
    equal(ran("up"), ["first"], "the first time, for the first of two replicas")
    equal(ran("restart"), [], "nothing has changed")
    equal([run["state"] for run in runs(world) if run["index"] == 0], ["succeeded", "skipped", "skipped", "skipped"], "the records")
    world.ctl("down").expect(0)
    equal(ran("up"), [], "in new containers neither")
    world.file("stack/lock", "two")
    equal(ran("restart"), ["first"], "an input has changed")
    stack("second")
    equal(ran("up"), ["second"], "the text has changed")
    world.file("stack/t/bad", "")
    world.file("stack/lock", "three")
    equal(ran("restart", code=1), ["second"], "one that fails")
    os.unlink(world.path("stack/t/bad"))
    equal(ran("up"), ["second"], "what failed runs again")
    equal(ran("restart"), [], "and then not any more")


@scenario("Ctrl-C while pre_run runs: its record says cancelled, nothing is left, and the container did not need its grace period")
def cancelled(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, command: sleep infinity, hooks: {{pre_run: "touch /t/began; sleep 1181"}}, volumes: ["./t:/t"]}}
""")
    client = world.spawn("up")
    wait_until(lambda: os.path.exists(world.path("stack/t/began")), "the hook")
    began = time.monotonic()
    os.killpg(client.pid, signal.SIGINT)
    equal(world.end_of(client).code, 130, "exit code")
    check(time.monotonic() - began < 8, "the container was killed after its grace period")
    equal([r["state"] for r in runs(world)], ["cancelled"], "the record")
    world.nothing_left()


@scenario("A container's user cannot make the daemon read or wait for anything: links and pipes among pre_run's results")
def hostile(world):
    world.file("secret", "not-for-the-log")
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    volumes: ["./t:/t"]
    init: true
    command: sleep infinity
    hooks:
      pre_run: |
        set +e
        cd /.stackd/run
        f=$(ls | grep '\\.out$')
        rm "$f"; ln -s {world.path('secret')} "$f"
        e=$(ls | grep '\\.err$')
        rm "$e"; mkfifo "$e"
        echo hooked > /.stackd/entry; echo hooked > /.stackd/hook-0
        true
""")
    world.ctl("up", limit=30).expect(0)
    found = runs(world)
    equal([r["state"] for r in found], ["succeeded"], "the record")
    check("not-for-the-log" not in found[0].get("stdout_tail", ""), "the link was followed")
    with open(found[0]["log"], encoding="utf-8") as log:
        check("not-for-the-log" not in log.read(), "the link was followed into the log")
    for name in ("entry", "hook-0"):
        text = world.read(os.path.join("home/stacks", os.listdir(world.path("home/stacks"))[0], "pre_run",
                                       world.project + "-box-1", name))
        check("hooked" not in text.splitlines(), f"the container wrote to {name}")
