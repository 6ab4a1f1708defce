"""What a lich.yaml means, rule by rule (part L), where no other scenario says it."""

import os

from harness import IMAGE, check, equal
from scenarios import scenario

LICH = "lich.yaml"
SERVICE = "owned: {a: {cmd: exec sleep 1000}}\n"

# what, the file, words of the answer
BAD_FILES = [
    ("a bad regex", 'version: "1"\nowned:\n  a:\n    cmd: x\n    ready_when: {log_match: "(["}\n', ["lich.yaml:5:", "log_match"]),
    ("a bad regex in fail_when", 'version: "1"\nowned:\n  a:\n    cmd: x\n    fail_when: {log_match: "(["}\n', ["lich.yaml:5:"]),
    ("a bad regex in capture", 'version: "1"\nowned:\n  a:\n    cmd: x\n    ready_when: {log_match: x, capture: {url: "(("}}\n',
     ["lich.yaml:5:", "capture.url"]),
    ("a bad duration", 'version: "1"\nowned:\n  a:\n    cmd: x\n    ready_when: {tcp: "80", timeout: 3 moons}\n',
     ["lich.yaml:5:", "3 moons"]),
    ("a bad duration at runtime", f'version: "1"\nruntime: {{ready_when_timeout: ever}}\n{SERVICE}', ["lich.yaml:2:", "ever"]),
    ("a dangling reference", f'version: "1"\nenv:\n  A: "${{owned.b.port}}"\n{SERVICE}', ["lich.yaml:3:", "owned.b"]),
    ("a misspelt reference", 'version: "1"\nenv:\n  A: "${onwed.a.port}"\nowned: {a: {cmd: x, port: {env: PORT}}}\n',
     ["lich.yaml:3:", "owned"]),
    ("a port that is not declared", f'version: "1"\nenv:\n  A: "${{owned.a.port}}"\n{SERVICE}', ["lich.yaml:3:", "port"]),
    ("a captured value that nobody captures", f'version: "1"\nenv:\n  A: "${{owned.a.captured.url}}"\n{SERVICE}',
     ["lich.yaml:3:", "captured"]),
    ("a profile that extends nothing", f'version: "1"\nprofiles:\n  dev: {{extends: bse}}\n  base: {{}}\n{SERVICE}',
     ["lich.yaml:3:", "bse", "base"]),
    ("profiles that extend each other", f'version: "1"\nprofiles:\n  a: {{extends: b}}\n  b: {{extends: a}}\n{SERVICE}',
     ["lich.yaml:", "cycle"]),
    ("a group that extends nothing", f'version: "1"\nenv_groups:\n  one: {{extends: stak}}\n{SERVICE}',
     ["lich.yaml:3:", "stak", "stack"]),
    ("groups that extend each other", f'version: "1"\nenv_groups:\n  a: {{extends: b}}\n  b: {{extends: a}}\n{SERVICE}',
     ["lich.yaml:", "cycle"]),
    ("a group called stack", f'version: "1"\nenv_groups:\n  stack: {{env: {{A: b}}}}\n{SERVICE}', ["lich.yaml:3:", "built in"]),
    ("two defaults", f'version: "1"\nprofiles:\n  a: {{default: true}}\n  b: {{default: true}}\n{SERVICE}',
     ["lich.yaml:", "default"]),
    ("a profile with a service that is not declared", f'version: "1"\nprofiles:\n  a: {{owned: [aa]}}\n{SERVICE}',
     ["lich.yaml:3:", "aa"]),
    ("a dependency that the profile leaves out",
     'version: "1"\nprofiles:\n  p: {owned: [a]}\nowned:\n  a: {cmd: x, depends_on: [b]}\n  b: {cmd: y}\n', ["lich.yaml:5:", "b"]),
    ("a hook with a group that is not declared", f'version: "1"\nlifecycle:\n  after_up:\n    - {{cmd: x, env_group: tst}}\n'
     f'env_groups: {{test: {{}}}}\n{SERVICE}', ["lich.yaml:4:", "tst", "test"]),
    ("a command with a group that is not declared", f'version: "1"\ncommands:\n  c: {{cmd: x, env_group: nope}}\n{SERVICE}',
     ["lich.yaml:3:", "nope"]),
    ("a command that has a name of stackctl's", f'version: "1"\ncommands:\n  up: {{cmd: x}}\n{SERVICE}', ["lich.yaml:3:", "up"]),
    ("an unknown key at the top", f'version: "1"\nservces: {{}}\n{SERVICE}', ["lich.yaml:2:1", "servces", "services"]),
    ("an unknown key at the top, and nothing else", "servces:\n  a: {image: x}\n", ["lich.yaml:1:1", "servces", "services"]),
    ("an unknown key in a service", f'version: "1"\nservices:\n  a: {{image: x, comand: y}}\n', ["lich.yaml:3:", "comand"]),
    ("L1.1: a key that a sibling compose file must have", f'version: "1"\nservices:\n  a: {{image: x, build: .}}\n',
     ["lich.yaml:3:", "build"]),
    ("an unknown key in owned", 'version: "1"\nowned:\n  a: {cmd: x, portt: {env: P}}\n', ["lich.yaml:3:", "portt", "port"]),
    ("an unknown key in ready_when", 'version: "1"\nowned:\n  a:\n    cmd: x\n    ready_when: {tpc: "80"}\n',
     ["lich.yaml:5:", "tpc", "tcp"]),
    ("an unknown phase", f'version: "1"\nlifecycle:\n  befor_up: [x]\n{SERVICE}', ["lich.yaml:3:", "befor_up", "before_up"]),
    ("a service's phase at the top", f'version: "1"\nlifecycle:\n  after_ready: [x]\n{SERVICE}', ["lich.yaml:3:", "after_ready"]),
    ("no cmd", 'version: "1"\nowned:\n  a: {cwd: .}\n', ["lich.yaml:3:", "cmd"]),
    ("one name twice", f'version: "1"\nservices: {{a: {{image: x}}}}\n{SERVICE}', ["lich.yaml:", "'a'"]),
    ("an unknown version", f'version: "2"\n{SERVICE}', ["lich.yaml:1:", "version"]),
    ("a circle of dependencies", 'version: "1"\nowned:\n  a: {cmd: x, depends_on: [b]}\n  b: {cmd: x, depends_on: [a]}\n',
     ["lich.yaml:", "cycle"]),
    ("L6.4: an env file that is wrong", f'version: "1"\nenv_files: [broken.env]\n{SERVICE}', ["broken.env:2"]),
    ("L6.3: a reference in an env file", f'version: "1"\nenv_files: [refers.env]\n{SERVICE}', ["refers.env:2", "owned.b"]),
    ("an unknown dependency, where it is written", 'version: "1"\nowned:\n  a:\n    cmd: x\n    depends_on:\n      - bb\n  b: {cmd: y}\n',
     ["lich.yaml:6:9: ", "bb", "'b'"]),
    ("an unknown parent, where it is written", f'version: "1"\nprofiles:\n  dev:\n    default: true\n    extends: bse\n  base: {{}}\n{SERVICE}',
     ["lich.yaml:5:14: ", "bse", "'base'"]),
    ("nothing below a name", 'version: "1"\nowned:\n  a:\n', ["lich.yaml:3:3", "cmd"]),
    ("a list of captures", 'version: "1"\nowned:\n  a:\n    cmd: x\n    ready_when: {log_match: x, capture: [y]}\n', ["lich.yaml:5:", "capture"]),
    ("an unknown dependency beside an unknown key",
     'version: "1"\nowned:\n  a: {cmd: x, depends_on: [bb], prt: 1}\n  b: {cmd: y}\n', ["lich.yaml:3:", "bb", "'b'", "prt"]),
    ("L10.8: two files that make one name", 'version: "1"\nowned:\n  w: {discover: {glob: "t/*", name_template: same, '
     'cmd_template: "x ${basename}"}}\n', ["lich.yaml:3:", "same"]),
    ("L10.8: an unknown filter", 'version: "1"\nowned:\n  w: {discover: {glob: "t/*", name_template: "${basename | kebap}", '
     'cmd_template: x}}\n', ["lich.yaml:3:", "kebap", "kebab"]),
]


@scenario("L1: a wrong lich.yaml is refused with file, line and column, and the nearest name; exit code 2")
def wrong_files(world):
    mistakes = []
    for what, text, words in BAD_FILES:
        world.stack(text, name=LICH)
        world.file("stack/broken.env", "GOOD=1\nno equals sign\n")
        world.file("stack/refers.env", "GOOD=1\nPORT=${owned.b.port}\n")
        world.file("stack/t/one", "")
        world.file("stack/t/two", "")
        for command in ("validate", "up"):
            result = world.ctl(command)
            lacking = [word for word in words if word not in result.text]
            if result.code != 2 or lacking:
                mistakes.append(f"{what}: {result}\n  expected 2 and {lacking}")
    check(not mistakes, "\n".join(mistakes))
    equal(world.daemon.get("/v1/stacks")["stacks"], [], "stacks that the daemon knows")


@scenario("L8: parents come before children on the way up, after them on the way down; the top level is outermost")
def profiles(world):
    world.stack("""
version: "1"
env: {WHO: top, TOP: "1"}
profiles:
  base:
    env: {WHO: base, BASE: "1"}
    lifecycle: {before_up: ["echo up base >> t/trace"], after_down: ["echo down base >> t/trace"]}
  dev:
    extends: base
    default: true
    owned: [a]
    env: {WHO: dev}
    lifecycle: {before_up: ["echo up dev $WHO$TOP$BASE $LICH_PROFILE >> t/trace"], after_down: ["echo down dev >> t/trace"]}
lifecycle: {before_up: ["echo up top >> t/trace"], after_down: ["echo down top >> t/trace"]}
owned:
  a: {cmd: exec sleep 1000}
  b: {cmd: exec sleep 1000}
""", name=LICH)
    world.ctl("up").expect(0)
    equal(sorted(world.services()), ["a"], "services of the profile")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["up top", "up base", "up dev dev11 dev", "down dev", "down base", "down top"], "the order")
    world.ctl("up", "--profile", "bas").expect(2, "base")
    for name in (LICH, "stackd.yaml"):
        world.stack(('version: "1"\n' if name == LICH else "") + SERVICE, name=name, directory="without")
        world.ctl("up", "--profile", "nope", directory="without").expect(2, "no profile 'nope'")
        os.unlink(world.path("without", name))
    world.ctl("up", "--profile", "base").expect(0)
    equal(sorted(world.services()), ["a", "b"], "a profile that names none has all")


@scenario("L10.8: discover makes a service of each file; a profile that names the parent has them all; no file, no service")
def discover(world):
    for name in ("workers/EmailWorker.sh", "workers/sms_worker.sh", "workers/deep/ImageWorker.sh", "workers/notes.txt"):
        world.file("stack/" + name, "exec sleep 1000\n")
    world.stack("""
version: "1"
profiles: {dev: {default: true, owned: [workers]}}
owned:
  workers:
    discover:
      glob: "workers/**/*.sh"
      name_template: "${basename_no_ext | strip_suffix:Worker | kebab}"
      cmd_template: "echo ${basename} >> t/trace; exec sh ${dirname}/${basename} || exec sleep 1000"
  none:
    discover: {glob: "no/*.sh", name_template: "${basename}", cmd_template: "x"}
  other: {cmd: exec sleep 1000}
""", name=LICH)
    result = world.ctl("up").expect(0)
    equal(sorted(world.services()), ["email", "image", "sms-worker"], f"services: {result}")
    equal(sorted(world.lines("stack/t/trace")), ["EmailWorker.sh", "ImageWorker.sh", "sms_worker.sh"], "what ran")


@scenario("L4.1: one service that fails takes the others with it; no down hook runs; ports are given again the next time")
def cascade(world):
    world.stack("""
version: "1"
owned:
  good: {cmd: exec sleep 1000, port: {env: PORT}, lifecycle: {before_down: ["echo before_down >> t/trace"]}}
  once: {cmd: "true", oneshot: true, stop_cmd: "echo undone $$ >> t/undone"}
  bad: {cmd: "echo dying; sleep 0.2; exit 3", ready_when: {tcp: "1"}, depends_on: [good, once]}
  never: {cmd: touch t/never, depends_on: [bad]}
lifecycle: {before_down: ["echo stack >> t/trace"], after_down: ["echo stack >> t/trace"]}
""", name=LICH)
    world.ctl("up").expect(1, "bad", "dying")
    world.nothing_left()
    check(not os.path.exists(world.path("stack/t/never")), "what depends on it was not started")
    equal(world.lines("stack/t/trace"), [], "down hooks of a roll-back")
    equal(len(world.lines("stack/t/undone")), 1, "stop_cmd of the oneshot")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), ["stack", "stack"], "X12: on the down after it")


@scenario("X18, L5.8, L7.1, L7.2: a hook's $$ and ${…} are the shell's; dotted references are stackd's, on the way down too")
def shell_text(world):
    world.stack("""
version: "1"
owned: {a: {cmd: exec sleep 1000, port: {env: PORT}}}
lifecycle:
  before_up: ['X=set; echo "${X:-none} ${UNSET:-none} ${X%t} $(( 1 + 1 ))" ''$${owned.a.port}'' > t/up; test "$$" -gt 1']
  before_down: ['echo "${owned.a.port} $PORT ${worktree.name} ${worktree.id}" > t/down']
""", name=LICH)
    world.ctl("up").expect(0)
    port = world.services()["a"]["ports"][0]["host_port"]
    equal(world.read("stack/t/up"), "set none se 2 ${owned.a.port}\n", "the shell's own")
    world.ctl("down").expect(0)
    words = world.read("stack/t/down").split()
    equal(words[:3], [str(port), str(port), "stack"], "references on the way down")
    equal(len(words[3]), 12, "L7.3: worktree.id")


@scenario("L5.3, L5.9: down of what is down is a success; restart of a service runs its hooks and touches no dependent")
def restart_and_down(world):
    world.stack("""
version: "1"
owned:
  a:
    cmd: exec sleep 1000
    lifecycle: {before_start: ["echo before_start >> t/trace"], after_ready: ["echo after_ready >> t/trace"], before_down: ["echo before_down >> t/trace"]}
  b: {cmd: "echo b >> t/trace; exec sleep 1000", depends_on: [a]}
lifecycle: {before_up: ["echo up >> t/trace"], after_down: ["echo down >> t/trace"]}
""", name=LICH)
    world.ctl("up").expect(0)
    before = world.services()
    world.file("stack/t/trace", "")
    world.ctl("restart", "a").expect(0)
    equal(world.lines("stack/t/trace"), ["before_down", "before_start", "after_ready"], "hooks of a restart")
    after = world.services()
    equal(after["b"]["pid"], before["b"]["pid"], "the dependent")
    check(after["a"]["pid"] != before["a"]["pid"], "the service itself is new")
    world.ctl("down").expect(0)
    world.file("stack/t/trace", "")
    world.ctl("down").expect(0)
    equal(world.lines("stack/t/trace"), [], "hooks of a down with nothing to take down")


@scenario("L3.1, L9.1: hooks run by /bin/sh in the stack's directory with stdin closed; a signal is code 128 and its number")
def surroundings(world):
    world.stack("""
version: "1"
owned: {a: {cmd: exec sleep 1000, cwd: t, lifecycle: {before_start: ["pwd > t/where", "cat; echo $? >> t/where"]}}}
lifecycle:
  before_up: ['pwd > t/up; cat >> t/up; echo "read" >> t/up', {cmd: "pwd > sub-up", cwd: t}]
  after_up: [{cmd: "kill -9 $$", on_failure: warn}]
""", name=LICH)
    up = world.ctl("up").expect(0, "after_up[0]")
    here = world.path("stack")
    equal(world.read("stack/t/up"), f"{here}\nread\n", "a stack's hook")
    equal(world.read("stack/t/sub-up"), f"{here}/t\n", "X19: cwd")
    equal(world.read("stack/t/where"), f"{here}\n0\n", "a service's hook, wherever its process runs")
    run = world.hooks()[-1]
    check("signal 9" in up.text, f"{up}: says which signal")
    equal((run["state"], run["exit_code"]), ("failed", 137), "the record")
