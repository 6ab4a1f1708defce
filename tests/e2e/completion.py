"""What a shell offers, from the stack that is here: by the script that `stackctl completion bash` prints."""

import shlex
import subprocess
import time

import harness
from harness import IMAGE, check, equal
from scenarios import scenario


def offered(world, *words):
    """What bash would offer for the last of the words."""
    script = (f"source <({harness.BIN}/stackctl completion bash)\n"
              f"COMP_WORDS=({harness.BIN}/stackctl {' '.join(shlex.quote(word) for word in words)})\n"
              f"COMP_CWORD={len(words)}\n_stackctl\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", script], env=world.environment, cwd=world.path("stack"), capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


@scenario("bash offers services, stacks, profiles, hooks, operations and the file's commands, in under 20 ms, and starts no daemon")
def bash(world):
    world.stack(f"""
name: {world.project}
services:
  db: {{image: {IMAGE}, command: [sleep, "1000"]}}
  debugger: {{image: {IMAGE}, command: [sleep, "1000"], profiles: [debug]}}
commands:
  seed: {{cmd: "true"}}
lifecycle:
  after_up: ["true"]
""")
    world.ctl("up").expect(0)
    equal(offered(world, "exec", "d"), ["db"], "services of exec")
    equal(offered(world, "logs", "d"), ["db"], "services of logs")
    equal(offered(world, "-p", world.project[:4]), [world.project], "stacks")
    equal(offered(world, "run", "s"), ["seed"], "the file's commands")
    check("after_up[0]" in offered(world, "hooks", "af"), "hooks")
    check(offered(world, "timeline", "op-")[0].startswith("op-"), "operations")
    equal(offered(world, "-C", world.base, "-p", world.project, "stop", "d"), ["db"], "from elsewhere")
    times = []
    for _ in range(10):
        began = time.monotonic()
        world.ctl("completion", "words", "service").expect(0)
        times.append(time.monotonic() - began)
    check(min(times) < 0.02, f"the quickest of ten took {min(times) * 1000:.0f} ms")
    world.ctl("down", "-t", "0").expect(0)
    world.daemon.stop()
    equal(offered(world, "logs", "d"), [], "without a daemon")


@scenario("completion install writes the script where the shell looks; help is in groups with examples, and the man pages have all of it")
def installed(world):
    env = {"XDG_DATA_HOME": world.path("data"), "XDG_CONFIG_HOME": world.path("config"), "SHELL": "/bin/bash"}
    world.ctl("completion", "install", environment=env, directory="").expect(0)
    check("_stackctl" in world.read("data/bash-completion/completions/stackctl"), "of the shell in $SHELL")
    world.ctl("completion", "install", "fish", environment=env, directory="").expect(0)
    check("stackctl" in world.read("config/fish/completions/stackctl.fish"), "of one that was named")
    check("cannot tell" in world.ctl("completion", "install", environment=dict(env, SHELL="/bin/ksh"), directory="").expect(2).err, "another shell")
    shown = world.ctl("--help", project=False, directory="").expect(0).out
    for title in ("Day to day:", "Looking:", "Files and images:", "The daemon and this machine:"):
        check(title in shown, f"{title} in the overview")
    pages = world.path("man/man1")
    import os
    os.makedirs(pages)
    world.ctl("help", "--man", pages, project=False, directory="").expect(0)
    for line in shown.splitlines():
        if line.startswith("  ") and line[2:3].isalpha():
            name = line.split()[0]
            check("Example" in world.ctl(name, "--help", project=False, directory="").out, f"an example of {name}")
            check(f".B stackctl {name}\n" in world.read(f"man/man1/stackctl-{name}.1"), f"the page of {name}")
    check(r".BR stackctl\-run (1)" in world.read("man/man1/stackctl.1"), "the overview's page")
