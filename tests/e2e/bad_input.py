"""What is wrong is said with its place, its reason and the exit code of design.md, and nothing is started."""

import os

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario

# what, the file, words of the answer
BAD_FILES = [
    ("a key that does not exist", "services:\n  web:\n    imgae: busybox:local\n", ["stackd.yaml:3", "imgae", "image"]),
    ("a key of the top level that does not exist", "services: {}\nlifecyle: {}\n", ["stackd.yaml:2", "lifecyle", "lifecycle"]),
    ("a file without services", "name: nothing\n", ["stackd.yaml:1", "services"]),
    ("text that is no YAML", "services: [\n", ["stackd.yaml:"]),
    ("a key twice", "services:\n  a: {image: x}\n  a: {image: y}\n", ["stackd.yaml:3", "a"]),
    ("a dependency that does not exist",
     f"services:\n  web: {{image: {IMAGE}, depends_on: [dbb]}}\n  db: {{image: {IMAGE}}}\n", ["dbb", "db"]),
    ("a circle of dependencies",
     f"services:\n  a: {{image: {IMAGE}, depends_on: [b]}}\n  b: {{image: {IMAGE}, depends_on: [a]}}\n", ["a", "->"]),
    ("a wrong type", f"services:\n  a: {{image: {IMAGE}, ports: 80x}}\n", ["stackd.yaml:2"]),
    ("C1.8: a hook without a command",
     f"services:\n  a: {{image: {IMAGE}, post_start: [{{command: \"\"}}]}}\n", ["post_start", "command"]),
    ("C1: a hook entry with only a user", f"services:\n  a: {{image: {IMAGE}, post_start: [{{user: root}}]}}\n", ["command"]),
    ("a phase that does not exist", "services: {}\nlifecycle: {before_upp: [\"true\"]}\n", ["before_upp", "before_up"]),
    ("a hook's field that does not exist", "services: {}\nlifecycle: {before_up: [{cmd: \"true\", timout: 3s}]}\n",
     ["timout", "timeout"]),
    ("a duration that is none", "services: {}\nlifecycle: {before_up: [{cmd: \"true\", timeout: soon}]}\n", ["soon"]),
    ("L7.1: a reference that leads nowhere", "env: {A: \"${services.nope.host_port}\"}\nowned: {a: {cmd: \"true\"}}\n",
     ["services.nope"]),
    ("two services with one fixed port",
     f"services:\n  a: {{image: {IMAGE}, ports: [\"8000:80\"]}}\n  b: {{image: {IMAGE}, ports: [\"8000:80\"]}}\n", ["8000"]),
    ("a required variable that is not set", f"services:\n  a: {{image: \"${{NOPE:?say which}}\"}}\n", ["say which"]),
]


@scenario("A wrong stack file is refused with exit code 2, its place and the nearest name; nothing is started")
def wrong_files(world):
    mistakes = []
    for what, text, words in BAD_FILES:
        world.stack(text)
        for command in ("validate", "up"):
            result = world.ctl(command, project="name" not in text)
            lacking = [word for word in words if word not in result.text]
            if result.code != 2 or lacking:
                mistakes.append(f"{what}: {result}\n  expected 2 and {lacking}")
    check(not mistakes, "\n".join(mistakes))
    equal(world.daemon.get("/v1/stacks")["stacks"], [], "stacks that the daemon knows")
    world.nothing_left()


@scenario("A wrong command line is refused with exit code 2")
def wrong_usage(world):
    world.stack("services: {}\n")
    for arguments in (["up", "--no-such-flag"], ["no-such-command"], ["up", "--timeout", "soon"], ["up", "--scale", "web"],
                      ["down", "--rmi", "some"], ["down", "-t", "soon"]):
        world.ctl(*arguments).expect(2)
    world.ctl("upp").expect(2, "did you mean 'up'?")
    world.ctl("up", "--detch").expect(2, "up has no option --detch: did you mean '--detach'?")


@scenario("No stack file up to the root: exit code 5, and it says what it looked for")
def no_file(world):
    os.makedirs(world.path("empty"))
    world.ctl("up", directory="empty", project=False).expect(5, "stackd.yaml", "stackctl init")


@scenario("No daemon: exit code 3, and nothing is started when that is forbidden", daemon=False)
def no_daemon(world):
    world.stack("services: {}\n")
    for command in (["up"], ["status"], ["down"], ["ls"]):
        world.ctl(*command).expect(3)


@scenario("stackctl starts the daemon when none listens, and stops it again", daemon=False)
def autostart(world):
    world.stack("owned: {a: {cmd: exec sleep 1000}}\n")
    environment = {"STACKD_AUTOSTART": "1", "PATH": os.path.dirname(world.command()[0]) + ":" + os.environ["PATH"]}
    try:
        world.ctl("up", environment=environment).expect(0)
        world.ctl("daemon", "status").expect(0)
        world.ctl("down").expect(0)
    finally:
        world.ctl("daemon", "stop")
    world.ctl("ls").expect(3)
    world.nothing_left()


@scenario("No engine: exit code 4 for containers; host processes need none", daemon=False)
def no_engine(world):
    world.environment["STACKD_DOCKER_HOST"] = "unix:///nonexistent/docker.sock"
    world.daemon.start()
    world.stack(f"services: {{a: {{image: {IMAGE}, command: sleep infinity}}}}\n")
    world.ctl("up").expect(4, "/nonexistent/docker.sock")
    info = world.daemon.get("/v1/info")
    equal(info["engine_state"], "unreachable", "the engine's state in /v1/info")
    world.stack("owned: {a: {cmd: exec sleep 1000}}\n", directory="hosts")
    for command in ("up", "status", "down"):
        world.ctl(command, directory="hosts").expect(0)


@scenario("What is not there: exit code 5")
def not_there(world):
    world.stack(f"services: {{a: {{image: {IMAGE}, init: true, command: sleep infinity}}}}\n")
    world.ctl("status").expect(5)
    world.ctl("up").expect(0)
    world.ctl("logs", "nosuch").expect(5, "nosuch")
    world.ctl("restart", "nosuch").expect(5, "nosuch")
    world.ctl("timeline", "nosuch").expect(5)


@scenario("L10.7: exec returns the command's own exit code, and runs it in the stack's directory and environment")
def own_codes(world):
    world.stack("env: {GREETING: hello}\nowned: {a: {cmd: exec sleep 1000}}\n")
    world.ctl("up").expect(0)
    equal(world.ctl("exec", "--", "sh", "-c", "exit 7").code, 7, "exec's exit code")
    equal(world.ctl("exec", "--", "sh", "-c", "echo $GREETING; pwd").out, f"hello\n{world.path('stack')}\n", "exec's surroundings")
    world.ctl("env").expect(0, "export GREETING='hello'")


@scenario("L6.8: run NAME runs one of the file's commands, with arguments, and returns its exit code")
def commands(world):
    world.stack("""
env: {GREETING: hello}
owned: {a: {cmd: exec sleep 1000}}
commands:
  fail: {cmd: exit 9}
  say: {cmd: 'echo "$GREETING $1"'}
""")
    world.ctl("up").expect(0)
    equal(world.ctl("run", "fail").code, 9, "run's exit code")
    equal(world.ctl("run", "say", "you").out, "hello you\n", "arguments of run")
    world.ctl("run", "sya").expect(5, "say")


@scenario("X25: another wish while an operation runs is a conflict, exit code 6, with the operation's id")
def conflict(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["touch t/began; while [ ! -e t/go ]; do sleep 0.05; done"]}
""")
    first = world.spawn("up")
    wait_until(lambda: os.path.exists(world.path("stack/t/began")), "the up to begin")
    running = [o for o in world.daemon.get("/v1/operations")["operations"] if o["state"] == "running"]
    equal(len(running), 1, "running operations")
    world.ctl("restart").expect(6, running[0]["id"])
    problem = world.ctl("--json", "restart").expect(6).json()
    equal((problem["code"], problem["operation"]), ("conflict", running[0]["id"]), "the problem, as the API has it")
    world.file("stack/t/go", "")
    world.end_of(first).expect(0)
