"""L6: which variables whom reaches, where they come from, and that secret ones are shown to nobody."""

import os
import subprocess

from harness import IMAGE, check, equal, request, wait_until
from scenarios import scenario


def everything_shown(world):
    """All that stackd shows or keeps of the stack, but for what a command is run with."""
    stack = world.status()["id"]
    shown = [str(world.daemon.get(path)) for path in
             (f"/v1/stacks/{stack}", f"/v1/stacks/{stack}/hooks", "/v1/operations")]
    for operation in world.daemon.get("/v1/operations")["operations"]:
        shown.append(str(world.daemon.get(f"/v1/operations/{operation['id']}")))
        shown.append(world.ctl("--json", "timeline", operation["id"]).text)
    shown += [world.ctl("logs").text, world.ctl("hooks").text, world.daemon.tail(100_000)]
    hooks = world.path("home", "stacks", stack, "hooks")
    for name in os.listdir(hooks):
        with open(os.path.join(hooks, name), encoding="utf-8") as log:
            shown.append(log.read())
    return "\n".join(shown)


@scenario("L6.1, T26: the later level wins, a null takes a variable away, and a hook has its service's (X17)")
def levels(world):
    world.file("stack/.env.shared", "FROM_FILE=file\nLEVEL=file\n")
    world.stack("""
env: {LEVEL: top, PARENT: null, KEPT: "${stack.name}"}
env_files: [.env.shared, .env.not-there]
profiles:
  dev: {default: true, env: {PROFILED: "yes"}}
owned:
  a:
    cmd: env > t/process; exec sleep 1000
    port: {env: PORT}
    ready_when: {cmd: test -s t/process}
    env: {LEVEL: service}
    lifecycle: {after_ready: ["env > t/hook"]}
lifecycle: {after_up: ["env > t/stack"]}
""")
    world.ctl("up", environment={"PARENT": "there", "INHERITED": "${what.ever} $$"}).expect(0)

    def variables(name):
        return dict(line.split("=", 1) for line in world.lines(f"stack/t/{name}") if "=" in line)
    process, hook, stack = variables("process"), variables("hook"), variables("stack")
    for each, level in ((process, "service"), (hook, "service"), (stack, "top")):
        equal(each["LEVEL"], level, "the level that wins")
        equal(each["FROM_FILE"], "file", "from the env file")
        equal(each["PROFILED"], "yes", "from the profile")
        check("PARENT" not in each, f"a null takes the variable away: {each.get('PARENT')!r}")
        equal(each["INHERITED"], "${what.ever} $$", "X16: what was inherited is left as it is")
        equal(each["LICH_PROFILE"], "dev", "LICH_PROFILE")
        equal(each["LICH_STACK_ID"], world.status()["id"], "LICH_STACK_ID")
        equal(each["KEPT"], world.project, "a reference in a value")
    equal(hook["PORT"], process["PORT"], "X17: the port of the hook's own service")
    equal(stack["PORT"], process["PORT"], "L6.6: the ports of every service")


@scenario("L6.5, X15: env_from runs its commands once an up, each with the environment so far; a name is passed through")
def env_from(world):
    world.stack("""
env: {BASE: base}
env_from:
  - {cmd: 'echo run >> t/runs; echo "FIRST=$BASE-1"; echo "QUOTED=\\"a b\\" # not this"'}
  - {cmd: 'printf "{\\"SECOND\\": \\"%s-2\\"}" "$FIRST"', format: json}
  - PASSED
owned:
  a:
    cmd: exec sleep 1000
    port: {env: PORT}
    env: {OWN: mine}
    env_from: [{cmd: 'echo "THIRD=$SECOND-$OWN-${owned.a.port}"; echo "LEVEL=service"'}]
    lifecycle: {after_ready: ['echo "$FIRST/$SECOND/$THIRD/$QUOTED/$PASSED/$LEVEL" > t/hook']}
lifecycle:
  before_up: ['echo "$FIRST/$THIRD" > t/stack']
  after_down: ['echo "$FIRST/$SECOND/$PASSED" > t/down']
""")
    world.ctl("up", environment={"PASSED": "by"}).expect(0)
    port = world.services()["a"]["ports"][0]["host_port"]
    equal(world.read("stack/t/hook"), f"base-1/base-1-2/base-1-2-mine-{port}/a b/by/service\n", "what the hook had")
    equal(world.read("stack/t/stack"), "base-1/\n", "a service's variables are its own")
    world.ctl("up", environment={"PASSED": "by"}).expect(0)
    equal(world.lines("stack/t/runs"), ["run"] * 2, "once an up")
    world.ctl("down", environment={"PASSED": "another"}).expect(0)
    equal(world.read("stack/t/down"), "base-1/base-1-2/by\n", "the same environment on the way down")
    equal(world.lines("stack/t/runs"), ["run"] * 2, "down runs none of them")


@scenario("L6.5: an env_from command that fails ends the up with its place, its code and its words; one that a signal ends does not")
def env_from_fails(world):
    world.stack("""
env_from: [{cmd: "echo no vault >&2; exit 3"}]
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["touch t/ran"]}
""")
    world.ctl("up").expect(1, "stackd.yaml:2", "exited with status 3", "no vault")
    check(not os.path.exists(world.path("stack/t/ran")), "no hook ran")
    world.nothing_left()
    world.stack("env_from: [{cmd: 'echo GOT=it; kill -9 $$'}]\nowned: {a: {cmd: exec sleep 1000}}\n"
                "lifecycle: {after_up: ['test \"$GOT\" = it']}\n")
    world.ctl("up").expect(0, "was ended by signal 9", "is used")
    world.ctl("down").expect(0)
    world.stack("env_from: [{cmd: 'echo {', format: json}]\nowned: {a: {cmd: exec sleep 1000}}\n")
    world.ctl("up").expect(1, "stackd.yaml:1", "echo {")


@scenario("An env_from command that hangs is ended by down, and by kill -9 of the daemon it is not run twice")
def env_from_hangs(world):
    world.stack("""
env_from: [{cmd: "echo run >> t/runs; sleep 983; echo A=1"}]
owned: {a: {cmd: exec sleep 1000}}
""")
    world.ctl("up", "--detach").expect(0)
    wait_until(lambda: world.lines("stack/t/runs"), "the command to run")
    world.daemon.kill()
    world.daemon.start()
    wait_until(lambda: world.status()["status"] == "starting", "the up to go on")
    world.ctl("down", limit=40).expect(0)
    equal(world.lines("stack/t/runs"), ["run"], "runs of the command")
    world.nothing_left()


@scenario("Values of env_from are masked in hook logs, service logs, events, errors and the API (design.md, hooks)")
def masked(world):
    secret = "s3cr3t-of-the-vault"
    world.stack(f"""
env_from: [{{cmd: "echo TOKEN={secret}"}}, PASSED]
services:
  box:
    image: {IMAGE}
    init: true
    command: sh -c 'echo "box $$TOKEN"; exec sleep infinity'
    environment: {{OTHER: x}}
    hooks: {{pre_run: 'echo "before $TOKEN"; echo "$TOKEN" >&2'}}
    pre_start: [{{command: 'sh -c "echo first $$TOKEN"'}}]
    post_start: [{{command: 'sh -c "echo in the box $$TOKEN; echo $$TOKEN >&2"'}}]
owned:
  a: {{cmd: 'echo "a $TOKEN $PASSED"; exec sleep 1000', ready_when: {{log_match: "^a "}}}}
lifecycle:
  after_up:
    - 'printf "%s" "$TOKEN" | cut -c1-6 | tr -d "\\n"; printf "%s" "$TOKEN" | cut -c7-; echo "$TOKEN $PASSED" >&2'
    - {{cmd: 'echo "$TOKEN" > t/token; echo "say $TOKEN" >&2; exit 5', on_failure: warn}}
""")
    environment = {"PASSED": "given-by-the-caller"}
    up = world.ctl("--json", "up", environment=environment).expect(0)
    equal(world.read("stack/t/token"), secret + "\n", "the hook itself has the value")
    shown = up.text + everything_shown(world)
    for value in (secret, "given-by-the-caller"):
        at = shown.find(value)
        check(at < 0, f"{value} is shown: …{shown[max(0, at - 300):at + 100]}…")
    check("before ***" in shown and "first ***" in shown, f"masked lines of pre_start and pre_run are there:\n{shown[-3000:]}")
    check("say ***" in shown and "in the box ***" in shown and "a *** ***" in shown, f"masked lines are there:\n{shown[-3000:]}")
    equal(world.ctl("exec", "--", "sh", "-c", 'echo "$TOKEN"').out, secret + "\n", "exec has the value")
    for shown in (world.ctl("--json", "env").json(), world.daemon.get(f"/v1/stacks/{world.status()['id']}/env")):
        equal((shown["environment"]["TOKEN"], shown["environment"]["PASSED"]), ("***", "***"), "the API's environment")
    check(f"export TOKEN='{secret}'" in world.ctl("env").out, "lines for a shell have the value")
    world.ctl("down").expect(0)


@scenario("L3.1: a directory and a node package that a hook has made are in PWD and PATH of all that starts after it")
def made_by_hooks(world):
    world.stack("""
owned:
  a:
    cmd: echo run >> ../../t/runs; env > ../../t/process; exec sleep 1000
    cwd: link/api
    stop_cmd: env > ../../t/stop
    ready_when: {cmd: 'env > ../../t/probe; test -s ../../t/process'}
    lifecycle:
      before_start: ["echo {} > apps/api/package.json", {cmd: "env > ../../t/first", cwd: link/api}]
      after_ready: [{cmd: "env > ../../t/hook", cwd: apps/api}]
lifecycle:
  before_up: ["mkdir -p apps/api && ln -s apps link", {cmd: "env > ../../t/plain", cwd: link/api}]
  after_up: ["echo {} > package.json", {cmd: "env > t/top", retries: 1}]
""")

    def variable(file, name):
        return dict(line.split("=", 1) for line in world.lines(f"stack/t/{file}") if "=" in line)[name]
    world.ctl("up").expect(0)
    top = os.path.realpath(world.path("stack"))
    api = f"{top}/apps/api"
    equal(variable("plain", "PWD"), api, "PWD of the hook after the one that made its directory")
    check("node_modules" not in variable("plain", "PATH"), "no package yet")
    for each in ("first", "process", "probe", "hook"):
        equal(variable(each, "PWD"), api, f"PWD of {each}")
        check(variable(each, "PATH").startswith(f"{api}/node_modules/.bin:"), f"PATH of {each}: {variable(each, 'PATH')}")
    check(variable("top", "PATH").startswith(f"{top}/node_modules/.bin:"), f"PATH of after_up: {variable('top', 'PATH')}")
    world.ctl("down").expect(0)
    packages = f"{api}/node_modules/.bin:{top}/node_modules/.bin:"
    check(variable("stop", "PATH").startswith(packages), f"PATH of stop_cmd: {variable('stop', 'PATH')}")
    world.ctl("up").expect(0)
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/runs"), ["run"] * 2, "runs: what was seen is the same in the plan and at the start")


@scenario("A secret that a hook writes into its file is masked from then on, in the hook's own last words too (design.md, hooks)")
def secret_made_by_hook(world):
    secret = "made-up-on-the-way"
    world.stack(f"""
secrets: {{key: {{file: t/key}}}}
owned:
  a: {{cmd: 'echo "a $(cat t/key)"; exec sleep 1000', ready_when: {{log_match: "^a "}}}}
lifecycle:
  before_up: ['printf "%s" {secret[:7]} > t/key; printf "%s" {secret[7:]} >> t/key; echo "it is $(cat t/key)" >&2']
  after_up: ['echo "say $(cat t/key)" >&2']
""")
    world.ctl("up").expect(0)
    equal(world.read("stack/t/key"), secret, "the file itself")
    hooks = world.daemon.get(f"/v1/stacks/{world.status()['id']}/hooks")
    check("it is ***" in str(hooks) and secret not in str(hooks), f"the records of hooks: {hooks}")
    shown = world.ctl("logs").text + world.ctl("hooks").text + world.ctl("--json", "timeline").text
    check("a ***" in shown and secret not in shown, f"what is shown: {shown}")
    after = [run for run in hooks["hooks"] if run["phase"] == "after_up"]
    with open(after[0]["log"], encoding="utf-8") as file:
        log = file.read()
    check("say ***" in log and secret not in log, f"the log of the next hook: {log}")
    world.file("stack/t/key", "changed-by-hand")
    world.ctl("restart", "a").expect(0)
    shown = world.ctl("logs").text
    check("a ***" in shown and "changed-by-hand" not in shown, f"after an edit: {shown}")
    world.ctl("down").expect(0)


@scenario("L6.7: a group extends another; process_env: false inherits nothing; an unknown one is refused with the nearest")
def groups(world):
    world.stack("""
env: {TOP: top}
env_groups:
  bare: {process_env: false, env: {ONLY: this}}
  more: {extends: bare, env: {MORE: "yes"}}
  full: {extends: stack, env: {MORE: full}, env_from: [{cmd: 'echo "GOT=$TOP"'}]}
owned: {a: {cmd: exec sleep 1000}}
lifecycle:
  after_up:
    - {cmd: "env > t/full", env_group: full}
    - {cmd: "/usr/bin/env > t/bare", env_group: bare}
""")
    world.ctl("up", environment={"CALLER": "here"}).expect(0)
    full, bare = world.lines("stack/t/full"), world.lines("stack/t/bare")
    for line in ("TOP=top", "MORE=full", "GOT=top", "CALLER=here"):
        check(line in full, f"{line} is not in {full}")
    check("ONLY=this" in bare and not any(line.startswith(("TOP=", "CALLER=", "HOME=")) for line in bare), f"bare: {bare}")
    check(any(line.startswith("LICH_STACK_ID=") for line in bare), f"LICH_* stay: {bare}")
    out = world.ctl("exec", "--env-group", "more", "--", "/usr/bin/env", environment={"CALLER": "now"}).expect(0).out
    check("ONLY=this" in out and "MORE=yes" in out, f"exec in a group: {out}")
    # `more` is the outermost, and says nothing of process_env.
    check("CALLER=now" in out, f"process_env is the outermost group's: {out}")
    out = world.ctl("exec", "--env-group", "bare", "--", "/usr/bin/env", environment={"CALLER": "now"}).out
    check("CALLER" not in out and "HOME=" not in out, f"process_env: false: {out}")
    world.ctl("exec", "--env-group", "fulll", "true").expect(5, "full")
    world.ctl("env", "fulll").expect(5, "full")


@scenario("L6.8: env prints lines that a shell can source, whatever is in the values")
def sourceable(world):
    value = "it's \"quoted\" $HOME `id` \\ and\ttabs; a # b"
    world.stack("env: {PLAIN: plain, TWO: \"one\\ntwo\"}\nowned: {a: {cmd: exec sleep 1000}}\n")
    world.ctl("up", environment={"NASTY": value}).expect(0)
    world.file("lines", world.ctl("env").expect(0).out)
    out = subprocess.run(["env", "-i", "/bin/sh", "-c", '. "$1"; printf "%s|%s|%s" "$PLAIN" "$TWO" "$NASTY"', "sh",
                          world.path("lines")], capture_output=True, check=True).stdout.decode()
    equal(out, f"plain|one\ntwo|{value}", "what the shell has after sourcing")


@scenario("L6.8: a command has its group, its own variables, directory and arguments; help says which there are")
def commands(world):
    os.makedirs(world.path("stack/sub"))
    world.stack("""
env: {GREETING: hello}
env_groups: {alone: {process_env: false, env: {PATH: /usr/bin:/bin, GREETING: alone}}}
owned: {a: {cmd: exec sleep 1000, port: {env: PORT}}}
commands:
  say: {cmd: 'echo "$GREETING $1 $# $OWN"', env: {OWN: "at ${stack.name}"}, description: Says something}
  alone: {cmd: 'echo "$GREETING ${CALLER:-nothing}"', env_group: alone}
  where: {cmd: 'pwd; echo "$PWD"', cwd: sub}
  port: {cmd: 'echo "${owned.a.port} $PORT"'}
  all: 'printf "<%s>" "$@"; kill -TERM $$'
""")
    for command in (["run", "--help"], ["run"]):
        world.ctl(*command).expect(0, "say", "Says something", "alone", "where")
    world.ctl("run", "say", "--help").expect(0, "Says something", 'echo "$GREETING $1 $# $OWN"')
    equal(world.ctl("run", "say", "you").out, f"hello you 1 at {world.project}\n", "before the stack was ever up")
    world.ctl("up").expect(0)
    equal(world.ctl("run", "say", "you", "--json").out, f"hello you 2 at {world.project}\n", "arguments")
    equal(world.ctl("run", "alone", environment={"CALLER": "here"}).out, "alone nothing\n", "a group of its own")
    sub = world.path("stack/sub")
    equal(world.ctl("run", "where").out, f"{sub}\n{sub}\n", "its directory")
    port = world.services()["a"]["ports"][0]["host_port"]
    equal(world.ctl("run", "port").out, f"{port} {port}\n", "ports")
    result = world.ctl("run", "all", "--", "--help", "a b")
    equal((result.code, result.out), (128 + 15, "<--help><a b>"), "a signal, and arguments as they are")
    names = [command["name"] for command in world.ctl("--json", "run").expect(0).json()["commands"]]
    equal(names, ["all", "alone", "port", "say", "where"], "the commands as a document")


@scenario("A secret's value is masked in the live events of a build, and in what is said of one that fails (design.md, hooks)")
def masked_build(world):
    secret = f"hush-{os.getpid()}-value"
    text = """
env_from: [{cmd: "echo TOKEN=$(cat token)"}]
services:
  box:
    build: {context: ., dockerfile_inline: "FROM IMAGE\\nCOPY token /token\\nRUN echo the build $(cat /token); BUILD\\n"}
    init: true
    command: sleep infinity
    hooks: {post_build: "echo the hook $(cat /token); HOOK"}
"""
    world.file("stack/token", secret)
    for build, hook, code in (("true", "true", 0), ("true", "exit 7", 1), ("exit 7", "true", 1)):
        world.stack(text.replace("IMAGE", IMAGE).replace("BUILD", build).replace("HOOK", hook))
        up = world.ctl("--json", "up", "--build").expect(code)
        check("the build ***" in up.out or hook != "true", f"the build's lines are events:\n{up.out[-3000:]}")
        check("the hook ***" in up.out or build != "true", f"the hook's lines are events:\n{up.out[-3000:]}")
        shown = [line for line in (up.text + everything_shown(world)).splitlines() if secret in line]
        check(not shown, f"with {build}, {hook} the secret is shown: {shown[:3]}")
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)


@scenario("Processes, host hooks and env_from make files by the umask of the caller; one that is none is refused")
def umask(world):
    world.stack("""
env_from: [{cmd: "touch t/of-env-from; echo A=1"}]
owned: {proc: {cmd: "touch t/of-process; exec sleep 1000", ready_when: {cmd: "test -e t/of-process"}}}
lifecycle: {before_up: ["touch t/of-hook"]}
""")
    for mask, mode in ((0o002, 0o664), (0o077, 0o600), (0o022, 0o644)):
        before = os.umask(mask)
        try:
            world.ctl("up").expect(0)
        finally:
            os.umask(before)
        for name in ("of-hook", "of-process", "of-env-from"):
            path = world.path("stack", "t", name)
            equal(oct(os.stat(path).st_mode & 0o777), oct(mode), f"mode of {name} under umask {mask:03o}")
            os.remove(path)
        world.ctl("down").expect(0)
    status, problem = request(world.daemon.socket, "POST", "/v1/stacks", {"directory": world.path("stack"), "umask": "9"})
    equal(status, 400, "status")
    check("umask '9'" in str(problem), f"{problem}")
