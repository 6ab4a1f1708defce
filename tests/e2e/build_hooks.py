"""Moat's build hooks (M2, M3): layers on top of a service's image, made once for what they say. BuildKit keeps a layer for as
long as it likes, so that what is to run here names the scenario's project."""

import contextlib
import io
import os
import signal
import sqlite3
import subprocess
import tarfile
import time

from harness import IMAGE, check, equal, wait_until
from buildkit import helpers
from own_engine import on_own_engine
from scenarios import scenario

# An image with a user of its own, and one without a shell, both made here.
AS_USER = f"build: {{context: ., dockerfile_inline: \"FROM {IMAGE}\\nUSER 1001\\n\"}}"
SHELLLESS = f"build: {{context: ., dockerfile_inline: \"FROM scratch\\nCOPY stackd.yaml /x\\nCMD [\\\"/x\\\"]\\n\"}}"
SHOW = "init: true\n    volumes: [\"./t:/t\"]"


def hook_images(world):
    """Ids of the derived images that carry this world's stack."""
    found = world.engine._list("/images/json?", "dev.stackd.hooks")
    return sorted(i["Id"] for i in found if i["Labels"].get("dev.stackd.stack", "").startswith(world.project + "-"))


def of_phase(world, phase):
    return [run for run in world.hooks() if run["phase"] == phase]


@scenario("M2.6, X20: lines of a build hook stop at the first that fails, also when a later one is a list of commands")
def first_failure(world):
    for line in ("true || echo next", "echo next; true", "true & true"):
        world.stack(f"""
services:
  box:
    image: {IMAGE}
    {SHOW}
    command: sleep infinity
    hooks:
      post_build_root: |
        sh -c 'exit 9'
        {line}
        echo last
""")
        world.ctl("up").expect(1, "box post_build_root[0] exited with status 9")
        run = of_phase(world, "post_build_root")[-1]
        equal((run["state"], run["exit_code"], run.get("stdout_tail", "")), ("failed", 9, ""), f"the record, with {line!r}")
        world.nothing_left()


def dropped(world):
    world.ctl("down", "--rmi", "local", "-t", "0").expect(0)
    equal(hook_images(world), [], "images of hooks after down --rmi local")


@scenario("M2.3, M2.5, M2.6, X20, X22, T16: build hooks run as root, then as the image's user, from a text, a list and lines")
def places(world):
    world.stack(f"""
services:
  box:
    {AS_USER}
    {SHOW}
    command: sh -c 'cat /root-was /was /lines /script > /t/seen; ls -ldn /workspace >> /t/seen; exec sleep infinity'
    hooks:
      post_build_root:
        - id -u > /root-was; pwd >> /root-was; true {world.project}
        - {{cmd: "mkdir /mine; chown 1001 /mine; ln -s /mine/was /was; ln -s /mine/lines /lines; ln -s /mine/script /script"}}
      post_build:
        - id -u > /mine/was; pwd >> /mine/was; touch /workspace/mine
        - |

          echo one > /mine/lines &&
          echo two >> /mine/lines; \\

          echo three >> /mine/lines \\
        - |
          # a comment, and lines that cannot be joined
          for word in a b; do
            echo $word
          done > /mine/script
""")
    world.ctl("up").expect(0)
    wait_until(lambda: "drwx" in world.read("stack/t/seen"), "what the container saw")
    seen = world.lines("stack/t/seen")
    equal(seen[:9], ["0", "/workspace", "1001", "/workspace", "one", "two", "three", "a", "b"], "what the hooks left")
    check(seen[9].split()[2] == "1001", f"X22: the owner of /workspace: {seen[9]}")
    runs = of_phase(world, "post_build_root") + of_phase(world, "post_build")
    equal([(r["place"], r["state"], r["exit_code"], r["index"]) for r in runs],
          [("build", "succeeded", 0, i) for i in (0, 1, 0, 1, 2)], "the records")
    container = world.engine.running(world.project, "box")[0]
    equal(world.engine.inspect(container["Id"])["Config"]["User"], "1001", "the image's own user again")
    dropped(world)


@scenario("M3.2, M3.3, M3.4, M3.5, T19, X21: unchanged build hooks run once; an edit of blanks, a changed base and --rebuild run them again; pre_run does not")
def cached(world):
    def stack(root="cat /proc/sys/kernel/random/uuid > /uuid; : " + world.project, base="one", pre_run="true", other="1"):
        world.stack(f"""
services:
  box:
    build: {{context: ., dockerfile_inline: "FROM {IMAGE}\\nENV BASE={base}\\n"}}
    {SHOW}
    environment: {{OTHER: "{other}"}}
    command: sh -c 'cat /uuid > /t/uuid.new; mv /t/uuid.new /t/uuid; exec sleep infinity'
    hooks:
      post_build_root: '{root}'
      pre_run: '{pre_run}'
""")
        if os.path.exists(world.path("stack/t/uuid")):
            os.unlink(world.path("stack/t/uuid"))

    def up(*more):
        world.ctl("up", *more).expect(0)
        wait_until(lambda: world.read("stack/t/uuid"), "the container's word")
        return world.read("stack/t/uuid"), hook_images(world)

    stack()
    first, images = up()
    equal(len(images), 1, "images of hooks")
    stack(other="2")
    equal(up(), (first, images), "M3.4: after a change that is not in the image")
    equal([r["state"] for r in of_phase(world, "post_build_root")], ["succeeded", "skipped"], "the records")
    check("unchanged" in of_phase(world, "post_build_root")[-1]["reason"], "the reason of the skipped one")
    stack(other="2", pre_run="echo edited")
    equal(up(), (first, images), "X21: after an edit of pre_run")
    stack(root="cat  /proc/sys/kernel/random/uuid > /uuid; : " + world.project)
    second, more = up()
    check(second != first and len(more) == 2, f"T19, M3.2: after an edit of blanks: {more}")
    stack(base="two")
    third, more = up("--build")
    check(third not in (first, second), "a changed base")
    fourth, _ = up("--rebuild") if not os.unlink(world.path("stack/t/uuid")) else None
    check(fourth not in (first, second, third), "--rebuild")
    dropped(world)


@scenario("C1.5: pre_start without an image of its own runs in what the service runs, build hooks and all; with one in that one")
def seen_by_pre_start(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    hooks: {{post_build_root: "echo made > /made"}}
    pre_start:
      - {{command: sh -c 'cat /made >> /t/trace; pwd >> /t/trace'}}
      - {{command: sh -c 'test -e /made || echo none >> /t/trace', image: {IMAGE}}}
""")
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/trace"), ["made", "/", "none"], "what the entries saw")
    dropped(world)


@scenario("M2.7: a failing build hook is named with its output; what comes after it does not run, and nothing is started")
def failing(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    {SHOW}
    command: sleep infinity
    hooks:
      post_build_root:
        - echo did; echo warned >&2; true {world.project}
        - echo to-stdout; echo to-stderr >&2; exit 7
      post_build: echo never
  other: {{image: {IMAGE}, init: true, command: sleep infinity, depends_on: [box]}}
""")
    result = world.ctl("up").expect(1, "box post_build_root[1] exited with status 7", "to-stderr")
    check("never" not in result.out.replace("echo never", ""), f"the third ran: {result}")
    runs = {(r["phase"], r["index"]): r for r in world.hooks()}
    first, second, third = (runs[key] for key in (("post_build_root", 0), ("post_build_root", 1), ("post_build", 0)))
    equal((first["state"], first["exit_code"], first["stderr_tail"].strip(), first["stdout_tail"].strip()),
          ("succeeded", 0, "warned", "did"), "the first one's record")
    equal((second["state"], second["exit_code"]), ("failed", 7), "the second one's record")
    equal(third["state"], "skipped", "the third one's")
    check(second["log"].endswith("/hooks/box.post_build_root-1.log"), f"the log: {second['log']}")
    with open(second["log"], encoding="utf-8") as log:
        equal(sorted(log.read().split()), ["to-stderr", "to-stdout"], "what is in the log")
    check(second["duration_ms"] >= 0 and first["ended_at"] <= second["ended_at"], "the times")
    world.nothing_left()
    # Mended: what was well before is not run again (its layer is there).
    text = world.read("stack/stackd.yaml").replace("exit 7", "exit 0")
    world.stack(text)
    world.ctl("up").expect(0)
    equal([r["state"] for r in of_phase(world, "post_build_root")], ["succeeded", "failed", "skipped", "succeeded"],
          "the records of both")
    dropped(world)


@scenario("Ctrl-C while a build hook runs: the build ends, its record says cancelled, nothing is left")
def cancelled(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    hooks: {{post_build_root: "echo under way; sleep 1171; : {world.project}"}}
    command: sleep infinity
""")
    client = world.spawn("up")
    wait_until(lambda: sleeping("1171"), "the hook")
    running = wait_until(lambda: of_phase(world, "post_build_root"), "its record", limit=5)
    equal([r["state"] for r in running], ["running"], "the record while it runs")
    wait_until(lambda: "under way" in open(running[0]["log"], encoding="utf-8").read(), "its output in the log", limit=5)
    os.killpg(client.pid, signal.SIGINT)
    equal(world.end_of(client).code, 130, "exit code")
    equal([r["state"] for r in of_phase(world, "post_build_root")], ["cancelled"], "the record")
    wait_until(lambda: not sleeping("1171"), "the build's end", limit=15)
    world.nothing_left()


def sleeping(seconds):
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if file.read().startswith(b"sleep\0" + seconds.encode()):
                        return True
            except OSError:
                pass
    return False


@scenario("20 services that share hooks and base build once; a second up costs a look")
def shared(world):
    services = "\n".join(f"""
  s{i}:
    image: {IMAGE}
    init: true
    command: sleep infinity
    hooks: {{post_build_root: "echo built; echo {world.project} > /name"}}""" for i in range(20))
    world.stack(f"services:{services}\n")
    world.ctl("up", limit=200).expect(0)
    states = [r["state"] for r in of_phase(world, "post_build_root")]
    equal(states.count("succeeded"), 1, f"runs of the hook: {states}")
    equal(len(hook_images(world)), 1, "images")
    began = time.monotonic()
    operation = world.ctl("up").expect(0)
    check(time.monotonic() - began < 20 * 0.05, f"a second up took {time.monotonic() - began:.2f} s: {operation}")
    world.ctl("down", "--rmi", "local", "-t", "0", limit=200).expect(0)


# On an engine of its own, because prune takes the unfinished images of everybody.
@scenario("Images of hooks go with down --rmi local and prune when no stack uses them, and stay as long as one does", daemon=False)
@on_own_engine
def pruned(world):
    def stack(directory, root):
        world.stack(f"""
services:
  box: {{image: {IMAGE}, init: true, command: sleep infinity, hooks: {{post_build_root: "{root} # {world.project}"}}}}
""", directory=directory)

    def up(directory):
        world.ctl("-p", world.project + directory, "up", directory=directory, project=False).expect(0)

    def down(directory, *more):
        world.ctl("-p", world.project + directory, "down", "-t", "0", *more, directory=directory, project=False).expect(0)

    def there():
        return {i["Id"] for directory in "ab" for i in world.engine.hook_images(world.project + directory)}

    try:
        stack("a", "echo one")
        stack("b", "echo one")
        up("a")
        up("b")
        equal(len(there()), 1, "one image for both")
        down("a", "--rmi", "local")
        equal(len(there()), 1, "b still uses it")
        stack("b", "echo two")
        up("b")
        equal(len(there()), 2, "b's old one and b's new one")
        world.ctl("prune", project=False, directory="b").expect(0)
        left = there()
        equal(len(left), 1, "the old one is pruned")
        container = world.engine.running(world.project + "b")[0]
        equal({container["ImageID"]}, left, "what b runs is kept")
        down("b", "--rmi", "local")
        equal(there(), set(), "nothing is left")
        stack("a", "echo three")
        up("a")
        down("a")
        equal(len(there()), 1, "down alone keeps it")
        document = world.ctl("--json", "prune", project=False, directory="a").expect(0).json()
        check(document["images"], "prune says nothing of what it removed")
        equal(there(), set(), "a stack that is down uses nothing")
    finally:
        for directory in ("a", "b"):
            world.engine.wipe(world.project + directory)


@scenario("M2.4: a build hook gets neither the service's environment nor its secrets, and stackd's references are resolved")
def surroundings(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    {SHOW}
    environment: {{SECRET: hidden}}
    command: sh -c 'cat /seen > /t/seen; exec sleep infinity'
    hooks:
      post_build_root:
        - {{cmd: 'echo "${{stack.name}} [$SECRET] [$OWN] $(pwd)" > /seen', env: {{OWN: "it's mine"}}, cwd: /tmp}}
        - {{cmd: 'echo warned >&2; exit 3', on_failure: warn}}
        - {{cmd: 'echo skipped >> /seen', if: {{profile: other}}}}
""")
    result = world.ctl("up").expect(0, "exited with status 3")
    wait_until(lambda: world.read("stack/t/seen"), "what the container saw")
    equal(world.read("stack/t/seen").strip(), f"{world.project} [] [it's mine] /tmp", "what the hook saw")
    check("box post_build_root[1]" in result.text, f"the warning: {result}")
    dropped(world)


@scenario("A build hook that is out of time is ended and named; one with retries is tried again")
def limits(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    hooks: {{post_build_root: [{{cmd: "sleep 1173", timeout: 500ms}}]}}
""")
    world.ctl("up").expect(1, "box post_build_root[0] was out of time and was ended")
    wait_until(lambda: not sleeping("1173"), "the hook's end", limit=15)
    world.nothing_left()
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    init: true
    command: sleep infinity
    hooks: {{post_build_root: [{{cmd: "exit 4", retries: 2, retry_delay: 50ms}}]}}
""")
    world.ctl("up").expect(1, "exited with status 4")
    equal([r["attempt"] for r in of_phase(world, "post_build_root") if r.get("exit_code") == 4], [1, 2, 3], "the tries")


@scenario("An image without a shell is a clear error before anything starts")
def no_shell(world):
    world.stack(f"""
services:
  first: {{image: {IMAGE}, init: true, command: sleep infinity}}
  bare:
    {SHELLLESS}
    depends_on: [first]
    hooks: {{pre_run: echo hi}}
lifecycle: {{before_up: ["echo began >> t/trace"]}}
""")
    # The image is built by the first up; a second one sees it before it does anything.
    world.ctl("up").expect(1, "service 'bare'", "/bin/sh", "pre_run")
    world.nothing_left()
    world.file("stack/t/trace", "")
    world.ctl("up").expect(1, "service 'bare'", "has no /bin/sh")
    equal(world.read("stack/t/trace"), "", "what ran before")
    world.nothing_left()
    world.engine.wipe(world.project)


@scenario("What a build that was cut short has left goes with down; a container that somebody made from the image stays")
def strangers(world):
    world.stack(f"""
services:
  box: {{image: {IMAGE}, init: true, command: sleep infinity, hooks: {{post_build_root: "echo {world.project} > /made"}}}}
""")
    world.ctl("up").expect(0)
    box = world.engine.inspect(world.engine.running(world.project)[0]["Id"])
    stack = box["Config"]["Labels"]["dev.stackd.stack"]
    # As the builder makes one for a step; killed in between, it stays.
    left = world.engine.call("POST", "/containers/create", {"Image": IMAGE, "Cmd": ["true"], "Labels": {
        "dev.stackd.hooks": "1", "dev.stackd.stack": stack}})["Id"]
    theirs = world.engine.call("POST", "/containers/create", {"Image": box["Config"]["Image"], "Cmd": ["true"]})["Id"]
    try:
        world.ctl("up").expect(0, "nothing to do")
        equal([s["status"] for s in world.status()["services"]], ["ready"], "the services")
        world.ctl("down", "-t", "0").expect(0)
        there = {c["Id"] for c in world.engine.call("GET", "/containers/json?all=1")}
        check(left not in there, "the builder's container was left")
        check(theirs in there, "a stranger's container was taken away")
    finally:
        world.engine.call("DELETE", f"/containers/{left}?force=1", good=(204, 404))
        world.engine.call("DELETE", f"/containers/{theirs}?force=1", good=(204, 404))
        world.ctl("down", "--rmi", "local")


@scenario("prune shows what it would remove, and leaves what another daemon's stacks had made")
def others_images(world):
    world.stack(f"services: {{box: {{image: {IMAGE}, init: true, command: sleep infinity, hooks: {{post_build_root: 'echo {world.project}'}}}}}}\n")
    tag = f"stackd-hooks:{world.project}"
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        text = f"FROM {IMAGE}\nLABEL dev.stackd.hooks=x dev.stackd.stack={world.project}-other\n".encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    world.engine.build(context.getvalue(), tag)
    try:
        world.ctl("up").expect(0)
        world.ctl("prune", "--dry-run").expect(0, "nothing to remove")
        world.ctl("down").expect(0)
        said = world.ctl("prune", "--dry-run").expect(10, "remove image stackd-hooks:")
        check(tag not in said.out, "another's image")
        world.ctl("prune", "-y").expect(0, "removed image stackd-hooks:")
        world.ctl("prune", "--dry-run").expect(0, "nothing to remove")
        world.engine.call("GET", f"/images/{tag}/json")
    finally:
        world.engine.call("DELETE", f"/images/{tag}?force=1", good=(200, 404))


def base_names(world):
    """Names that a base image has while this world's hooks are built on it; other scenarios build beside it."""
    own = [operation["id"] for operation in world.daemon.get("/v1/operations")["operations"]]
    return [tag for i in world.engine.call("GET", "/images/json") for tag in i["RepoTags"] or []
            if tag.startswith("stackd.invalid/") and any(operation in tag for operation in own)]


@scenario("build hooks keep what they cache from one build to the next, out of the image: root's and the user's apart")
def cache_mounts(world):
    def up(word):
        world.stack(f"""
services:
  box:
    {AS_USER}
    {SHOW}
    command: sh -c 'cat /seen /mine/seen > /t/seen.new; ls -A /kept-{world.project} >> /t/seen.new; mv /t/seen.new /t/seen; exec sleep infinity'
    hooks:
      post_build_root:
        - cmd: "echo {word} >> /kept-{world.project}/root; cat /kept-{world.project}/root > /seen; mkdir /mine; chown 1001 /mine"
          cache: [/kept-{world.project}, /other]
      post_build: {{cmd: "echo {word} >> /kept-{world.project}/user; ls /kept-{world.project} > /mine/seen", cache: /kept-{world.project}}}
""")
        world.ctl("up").expect(0)
        wait_until(lambda: world.read("stack/t/seen"), "what the container saw")
        seen = world.lines("stack/t/seen")
        os.unlink(world.path("stack/t/seen"))
        return seen

    equal(up("one"), ["one", "user"], "the first build's")
    equal(up("two"), ["one", "two", "user"], "the second one's: what the first has kept")
    equal(base_names(world), [], "names of bases that are left")
    dropped(world)


@scenario("'cache' of a build hook is refused by its key without BuildKit, and elsewhere than in a build hook")
def cache_refused(world):
    world.environment["DOCKER_BUILDKIT"] = "0"
    text = f"services: {{box: {{image: {IMAGE}, hooks: {{%s: [{{cmd: 'true', cache: [%s]}}]}}}}}}\n"
    world.stack(text % ("post_build", "/c"))
    world.ctl("validate").expect(0)
    world.ctl("up").expect(1, "service 'box': 'cache' of its hook post_build[0] needs BuildKit")
    world.nothing_left()
    world.stack(text % ("post_build", "'/a,b'"))
    world.ctl("validate").expect(2, "hook post_build[0], 'cache': expected an absolute directory", "found '/a,b'")
    world.stack(text % ("pre_run", "/c"))
    world.ctl("validate").expect(2, "'cache' is for build hooks")


@scenario("a build hook goes on while the daemon is dead, and the next one takes its result: it runs once")
def daemon_dies(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    {SHOW}
    command: sleep infinity
    hooks: {{post_build_root: ["echo first", "echo begun; sleep 4; echo over; : {world.project}"]}}
""")
    client = world.spawn("up")
    wait_until(lambda: sleeping("4"), "the hook")
    running = wait_until(lambda: [r for r in of_phase(world, "post_build_root") if r["state"] == "running"], "its record")
    wait_until(lambda: "begun" in open(running[0]["log"], encoding="utf-8").read(), "its output")
    one = helpers(world)
    equal(len(one), 1, "helpers")
    world.daemon.kill()
    equal(helpers(world), one, "the helper after the daemon's death")
    world.daemon.start()
    world.end_of(client).expect(0)
    second = of_phase(world, "post_build_root")[-1]
    equal((second["state"], second["exit_code"], second["started_at"]), ("succeeded", 0, running[0]["started_at"]), "the record")
    equal(open(second["log"], encoding="utf-8").read(), "begun\nover\n", "the log")
    equal(base_names(world), [], "names of bases that are left")
    dropped(world)


@scenario("a helper of build hooks that is killed is begun again, once; killed again, the up fails and leaves nothing")
def helper_dies(world):
    world.stack(f"""
services:
  box:
    image: {IMAGE}
    {SHOW}
    command: sleep infinity
    hooks: {{post_build_root: "echo begun; sleep 1175; : {world.project}"}}
""")
    client = world.spawn("up")
    for time_ in ("first", "second"):
        pids = wait_until(lambda: sleeping("1175") and helpers(world), f"the {time_} build")
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda: pids[0] not in helpers(world), "its end")
        wait_until(lambda: not sleeping("1175"), "its hook's end", limit=20)
    world.end_of(client).expect(1)
    equal([r["state"] for r in of_phase(world, "post_build_root")], ["failed"], "the record")
    equal(base_names(world), [], "names of bases that are left")
    world.nothing_left()


@scenario("a secret that a build hook prints is masked in its log, its record, the builder's log and the events")
def masked(world):
    world.stack(f"""
env_from: [{{cmd: "echo WORD=hook-secret-4712"}}]
services:
  box:
    image: {IMAGE}
    {SHOW}
    command: sleep infinity
    hooks: {{post_build_root: "echo hook-secret-47''12 {world.project}; echo to-stderr >&2"}}
""")
    world.ctl("up").expect(0)
    run = of_phase(world, "post_build_root")[-1]
    equal((run["stdout_tail"].strip(), run["stderr_tail"].strip()), (f"*** {world.project}", "to-stderr"), "the record")
    found = subprocess.run(["grep", "-rlaF", "hook-secret-4712", world.path("home/stacks")], stdout=subprocess.PIPE, text=True)
    equal([path for path in found.stdout.split() if path.endswith(".log")], [], "logs with the secret")
    with contextlib.closing(sqlite3.connect(world.path("home/state.db"))) as store:
        for table in ("events", "hook_runs", "steps", "operations"):
            check("hook-secret-4712" not in str(store.execute(f"select * from {table}").fetchall()), f"{table} with the secret")
    dropped(world)
