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
