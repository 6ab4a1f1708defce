"""Compose's rules (part C of semantics.md, with part X), one scenario for each thing that a user can observe."""

import json
import os
import re

from harness import IMAGE, Failure, check, equal, wait_until
from scenarios import scenario

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


def compose(world, text, name="compose.yaml"):
    return world.stack(text.replace("IMAGE", IMAGE).replace("BOX", BOX), name=name)


def tokens(world):
    return world.lines("stack/t/trace")


def only(world, service):
    found = world.engine.running(world.project, service)
    equal(len(found), 1, f"running containers of {service}")
    return found[0]


def inspect(world, service):
    return world.engine.inspect(only(world, service)["Id"])


# ---- C1, C2: fields and execution

@scenario("C1.1, X31: a string command is split into words and given to no shell; a list is used word by word")
def words(world):
    compose(world, """
services:
  box:
    BOXED
    volumes: ["./t:/t"]
    post_start:
      - command: echo one | tee "a b" && $$HOME
      - command: [sh, -c, 'echo "$$#:$$1" > /t/args', sh, "two words"]
      - command: sh -c 'echo quoted; exit 3'
""".replace("BOXED", BOX.replace(", ", "\n    ")))
    result = world.ctl("up").expect(1, "box hook exited with status 3")
    run = world.hooks()[0]
    with open(run["log"], encoding="utf-8") as log:
        equal(log.read().strip(), "one | tee a b && $HOME", "C1.1: what no shell has seen")
    equal(world.read("stack/t/args").strip(), "1:two words", "a list's words")
    check("quoted" in result.text, f"C2.9: the output's tail: {result}")


@scenario("C1.3, C2.2, C2.3: a hook's environment lies over the container's; user and directory are its own, else the container's")
def surroundings(world):
    compose(world, """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    user: "1000"
    working_dir: /tmp
    environment: {A: from-service, B: from-service}
    volumes: ["./t:/t"]
    post_start:
      - {command: sh -c 'echo "$$A $$B $$(id -u) $$(pwd)" >> /t/trace', environment: {B: from-hook}}
      - {command: sh -c 'echo "$$A $$B $$(id -u) $$(pwd)" >> /t/trace', user: root, working_dir: /, environment: [B=from-list]}
      - {command: sh -c 'echo "$$(printenv A || echo none) $$B" >> /t/trace', environment: [A]}
""")
    world.ctl("up").expect(0)
    equal(tokens(world), ["from-service from-hook 1000 /tmp", "from-service from-list 0 /", "none from-service"], "what the hooks saw")


@scenario("C1.4: hook lists of several files follow each other, the base's first; !reset drops them")
def several_files(world):
    compose(world, """
services:
  box: {BOX, volumes: ["./t:/t"], post_start: [{command: sh -c 'echo base >> /t/trace'}]}
""")
    world.file("stack/more.yaml", "services: {box: {post_start: [{command: sh -c 'echo more >> /t/trace'}]}}\n")
    world.file("stack/none.yaml", "services: {box: {post_start: !reset []}}\n")
    base, more, none = (world.path("stack", name) for name in ("compose.yaml", "more.yaml", "none.yaml"))
    world.ctl("-f", base, "-f", more, "up").expect(0)
    equal(tokens(world), ["base", "more"], "the order")
    first = only(world, "box")["Id"]
    world.ctl("-f", base, "-f", more, "-f", none, "up").expect(0)
    equal(tokens(world), ["base", "more"], "after !reset")
    check(only(world, "box")["Id"] != first, "C1.7: without its hooks it is another container")


@scenario("C2.4, C2.9: the first failing entry ends the list; the tail has stderr's last ten lines, blank ones dropped")
def tails(world):
    compose(world, """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    post_start:
      - command: sh -c 'echo stdout; for i in $$(seq 1 14); do echo "line $$i" >&2; echo >&2; done; printf "gone\\rkept\\n" >&2; exit 9'
      - command: sh -c 'echo second >> /t/trace'
""")
    result = world.ctl("up").expect(1)
    expected = "box hook exited with status 9: " + "\n".join([f"line {n}" for n in range(6, 15)] + ["kept"])
    operation = world.daemon.get("/v1/operations")["operations"][0]
    equal(operation["error"]["message"], expected, "the message")
    check("stdout" not in operation["error"]["message"], "stderr's tail is the one that is shown")
    check("line 14" in result.text, f"{result}")
    equal(tokens(world), [], "the entry after the failing one")


# ---- C4: pre_start

@scenario("C4.5: a pre_start container has the service's volumes, networks, name and environment; no ports, no number")
def init_container(world):
    compose(world, """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    user: "1000"
    working_dir: /tmp
    environment: {A: service, B: service}
    ports: ["80"]
    mac_address: "02:42:ac:11:65:43"
    networks: {front: {aliases: [other-name]}}
    volumes: ["./t:/t", "data:/data"]
    pre_start:
      - command: sh -c 'echo "$$A $$B $$(id -u) $$(pwd)" >> /t/trace; ls -d /data >> /t/trace'
        environment: {B: hook}
      - {command: sh -c 'echo "$$(id -u) $$(pwd)" >> /t/trace', user: root, working_dir: /data}
      - {command: sh -c 'while ! test -e /t/go; do sleep 0.05; done'}
networks: {front: }
volumes: {data: }
""")
    os.chmod(world.path("stack/t"), 0o777)
    up = world.spawn("up")

    def hook_container():
        return [c for c in world.engine.containers(world.project) if c["State"] == "running"
                and c["Labels"].get("com.docker.compose.hook") == "pre_start" and "/t/go" in c["Command"]]
    try:
        wait_until(lambda: len(tokens(world)) == 3 and hook_container(), "the third entry", limit=60)
        details = world.engine.inspect(hook_container()[0]["Id"])
    finally:
        world.file("stack/t/go", "")
    equal(world.end_of(up).code, 0, "exit code of up")
    equal(tokens(world), ["service hook 1000 /tmp", "/data", "0 /data"], "X2: what the entries saw")
    labels = details["Config"]["Labels"]
    for absent in ("config-hash", "container-number", "oneoff"):
        check("com.docker.compose." + absent not in labels, f"C4.5: label {absent} on the hook's container")
    equal(labels["com.docker.compose.service"], "box", "C4.5: label service")
    equal(details["HostConfig"]["PortBindings"] or {}, {}, "C4.5: published ports")
    endpoint = details["NetworkSettings"]["Networks"][f"{world.project}_front"]
    check({"box", "other-name"} <= set(endpoint["Aliases"]), f"C4.5: aliases {endpoint['Aliases']}")
    equal(endpoint["MacAddress"], "02:42:ac:11:65:43", "C4.5: a static MAC address")
    left = [c for c in world.engine.containers(world.project) if "com.docker.compose.hook" in c["Labels"]]
    equal(left, [], "C4.7: hook containers after success")


@scenario("C4.8, C4.11: a kept hook container goes with the next run of that service's pre_start, or with down")
def kept(world):
    compose(world, """
services:
  box: {BOX, volumes: ["./t:/t"], pre_start: [{command: sh -c 'test -e /t/good || exit 17'}]}
""")

    def hooks():
        return [c["Id"] for c in world.engine.containers(world.project) if "com.docker.compose.hook" in c["Labels"]]
    result = world.ctl("up").expect(1, "pre_start[0]", "17")
    equal(len(hooks()), 1, "kept containers")
    check(hooks()[0][:12] in result.text, f"the kept container's id: {result}")
    first = hooks()
    world.ctl("up").expect(1, "17")
    check(len(hooks()) == 1 and hooks() != first, "the next run takes the kept one away")
    world.file("stack/t/good", "")
    world.ctl("up").expect(0)
    equal(hooks(), [], "kept containers after a good run")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("C4.7, C4.8: of a pre_start that is tried again only the last try's container is kept, and none when it succeeds")
def kept_of_tries(world):
    compose(world, """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    network_mode: none
    volumes: ["./t:/t"]
    pre_start: [{command: sh -c 'echo try >> /t/trace; test $$(wc -l < /t/trace) = 2', retries: 1, retry_delay: 10ms}]
""")

    def hooks():
        return [c["Id"] for c in world.engine.containers(world.project) if "com.docker.compose.hook" in c["Labels"]]
    world.ctl("up").expect(0)
    equal((tokens(world), hooks()), (["try", "try"], []), "tries, and what is left of them")
    world.ctl("down", "-t", "0").expect(0)
    result = world.ctl("up").expect(1)
    equal(len(hooks()), 1, "what is left when all tries fail")
    check(hooks()[0][:12] in result.text, f"the kept container's id: {result}")
    world.ctl("down", "-t", "0").expect(0)
    world.nothing_left()


@scenario("C1.5, T14: pre_start of a built service without an image of its own runs in the built image")
def built_image(world):
    world.file("stack/app/Dockerfile", f"FROM {IMAGE}\nARG WORD=none\nRUN echo built-$WORD > /marker\n")
    compose(world, """
services:
  box:
    build: {context: ./app, args: {WORD: here}}
    init: true
    command: sleep infinity
    volumes: ["./t:/t"]
    pre_start: [{command: sh -c 'cat /marker >> /t/trace'}]
""")
    world.ctl("up").expect(0)
    equal(tokens(world), ["built-here"], "what pre_start saw")
    equal(inspect(world, "box")["Config"]["Image"], f"{world.project}-box", "C9.2: the built image's name")
    images = world.ctl("config", "--images").expect(0).out.split()
    equal(images, [f"{world.project}-box"], "config --images")


@scenario("C4.2, X3: pre_start runs for a container that was made anew, not for one that was stopped; run: always does")
def gate(world):
    text = """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    volumes: ["./t:/t"]
    pre_start:
      - {command: sh -c 'echo once >> /t/trace'}
      - {command: sh -c 'echo each >> /t/trace', run: always}
"""
    world.stack(text.replace("IMAGE", IMAGE))
    world.ctl("up").expect(0)
    world.ctl("up").expect(0)
    equal(tokens(world), ["once", "each"], "after two ups")
    world.ctl("stop").expect(0)
    world.ctl("up").expect(0)
    equal(tokens(world), ["once", "each", "each"], "after stop and up")
    world.ctl("down").expect(0)
    world.ctl("up").expect(0)
    equal(tokens(world), ["once", "each", "each", "once", "each"], "after down and up")


# ---- C5, X5 to X8: pre_stop

REASONS = """
services:
  box:
    image: IMAGE
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    labels: {edition: "${EDITION:-1}"}
    volumes: ["./t:/t"]
    pre_stop: [{command: sh -c 'echo "$$STACKD_SERVICE $$STACKD_REASON" >> /t/trace'}]
"""


@scenario("X8: pre_stop runs on recreate, scale-down, stop, restart and down, and STACKD_REASON says which")
def reasons(world):
    compose(world, REASONS)
    world.ctl("up", "--scale", "box=2").expect(0)
    world.ctl("up").expect(0)
    equal(tokens(world), ["box scale-down"], "scale-down")
    world.ctl("up", environment={"EDITION": "2"}).expect(0)
    equal(tokens(world)[1:], ["box recreate"], "recreate")
    world.ctl("restart").expect(0)
    equal(tokens(world)[2:], ["box restart"], "restart")
    world.ctl("stop").expect(0)
    equal(tokens(world)[3:], ["box stop"], "stop")
    world.ctl("start").expect(0)
    world.ctl("down").expect(0)
    equal(tokens(world)[4:], ["box down"], "down")


@scenario("X8: pre_stop of a service that the file no longer has runs when its containers go (--remove-orphans, down)")
def orphans(world):
    compose(world, REASONS + "  other: {BOX}\n")
    world.ctl("up").expect(0)
    compose(world, "services: {other: {BOX}}\n")
    world.ctl("up").expect(0, "box", "--remove-orphans")
    equal(len(world.engine.running(world.project, "box")), 1, "C10.4: an orphan without --remove-orphans")
    equal(tokens(world), [], "hooks of an orphan that stays")
    world.ctl("up", "--remove-orphans").expect(0)
    equal(world.engine.containers(world.project, "box"), [], "the orphan")
    equal(tokens(world), ["box orphan"], "its pre_stop")
    world.ctl("down").expect(0)
    compose(world, REASONS + "  other: {BOX}\n")
    world.ctl("up").expect(0)
    compose(world, "services: {other: {BOX}}\n")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0)
    equal(tokens(world), ["box orphan"] * 2, "its pre_stop on down")
    world.nothing_left()


@scenario("C10.4: COMPOSE_IGNORE_ORPHANS and COMPOSE_REMOVE_ORPHANS; what Compose left of the project is an orphan too")
def orphan_variables(world):
    def stack(*names):
        compose(world, "services: {" + ", ".join(f"{name}: {{BOX}}" for name in names) + "}\n")

    def services():
        return sorted(c["Labels"]["com.docker.compose.service"] for c in world.engine.containers(world.project))
    stack("box", "old")
    world.ctl("up").expect(0)
    stack("box")
    check("'old'" in world.ctl("up").expect(0).text, "no warning of an orphan")
    check("'old'" not in world.ctl("up", environment={"COMPOSE_IGNORE_ORPHANS": "true"}).expect(0).text,
          "COMPOSE_IGNORE_ORPHANS: a warning of an orphan")
    world.file("stack/.env", "COMPOSE_REMOVE_ORPHANS=1\n")
    world.ctl("up").expect(0)
    equal(services(), ["box"], "COMPOSE_REMOVE_ORPHANS in .env")
    os.unlink(world.path("stack/.env"))

    def of_compose():
        labels = {"project": world.project, "service": "theirs", "config-hash": "x", "oneoff": "False", "container-number": "1"}
        return world.engine.call("POST", "/containers/create", {
            "Image": IMAGE, "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}})
    of_compose()
    check("'theirs'" in world.ctl("up").expect(0).text, "no warning of Compose's orphan")
    equal(services(), ["box", "theirs"], "without --remove-orphans")
    world.ctl("up", "--remove-orphans").expect(0)
    equal(services(), ["box"], "with it")
    of_compose()
    world.ctl("down").expect(0)
    equal(services(), ["theirs"], "down takes away what up has made")
    world.ctl("down", "--remove-orphans").expect(0)
    world.nothing_left()


@scenario("X8, C8: depends_on with restart: true: the dependent is stopped, pre_stop and all, when its dependency is made anew or restarted")
def dependency_restart(world):
    compose(world, """
services:
  db: {BOX, labels: {edition: "${EDITION:-1}"}}
  web:
    image: IMAGE
    init: true
    command: sleep infinity
    stop_grace_period: 1s
    depends_on: {db: {condition: service_started, restart: true}}
    volumes: ["./t:/t"]
    post_start: [{command: sh -c 'echo started >> /t/trace'}]
    pre_stop: [{command: sh -c 'echo "$$STACKD_REASON" >> /t/trace'}]
  apart: {BOX, depends_on: [db]}
""")
    world.ctl("up").expect(0)
    before = {name: inspect(world, name) for name in ("db", "web", "apart")}
    world.ctl("up", environment={"EDITION": "2"}).expect(0)
    after = {name: inspect(world, name) for name in ("db", "web", "apart")}
    check(before["db"]["Id"] != after["db"]["Id"], "db was not made anew")
    equal(after["web"]["Id"], before["web"]["Id"], "web's container")
    check(after["web"]["State"]["StartedAt"] > before["web"]["State"]["StartedAt"], "web was not restarted")
    equal(after["apart"]["State"]["StartedAt"], before["apart"]["State"]["StartedAt"], "start of one without restart")
    equal(tokens(world), ["started", "dependency-restart", "started"], "the hooks")
    world.ctl("restart", "db").expect(0)
    equal(tokens(world)[3:], ["dependency-restart", "started"], "the hooks with restart db")
    equal(inspect(world, "apart")["State"]["StartedAt"], before["apart"]["State"]["StartedAt"], "apart, with restart db")


@scenario("X8: a roll-back runs pre_stop of what it takes away")
def rollback(world):
    compose(world, REASONS + '  bad: {BOX, depends_on: [box], post_start: [{command: "false"}]}\n')
    world.ctl("up").expect(1, "bad hook exited with status 1")
    equal(tokens(world), ["box rollback"], "the hooks")
    world.nothing_left()


@scenario("X5, X6: a paused container is stopped without its hook, and that is said; restart of a stopped service starts it")
def not_running(world):
    compose(world, REASONS)
    world.ctl("up").expect(0)
    box = only(world, "box")["Id"]
    world.engine.call("POST", f"/containers/{box}/pause")
    result = world.ctl("stop", "-t", "1").expect(0)
    check("paused" in result.text, f"X5: it does not say that the container is paused: {result}")
    equal(world.engine.inspect(box)["State"]["Status"], "exited", "X5: state after stop")
    equal(tokens(world), [], "X5: hooks in a paused container")
    world.ctl("restart").expect(0)
    equal(world.engine.inspect(box)["State"]["Status"], "running", "X6: state after restart")
    equal(tokens(world), [], "X6: hooks of a stopped container")


@scenario("C5.1, C5.2: pre_stop runs in reverse order of dependencies, and its time is not the grace period's")
def stop_order(world):
    compose(world, """
services:
  db: {BOX, volumes: ["./t:/t"], pre_stop: [{command: sh -c 'sleep 1.5; echo db >> /t/trace'}]}
  web: {BOX, depends_on: [db], volumes: ["./t:/t"], pre_stop: [{command: sh -c 'echo web >> /t/trace'}]}
""")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0)
    equal(tokens(world), ["web", "db"], "the order")


# ---- C6: dependencies

@scenario("C6.3: service_healthy fails in Compose's words: unhealthy, exited, no healthcheck")
def healthy(world):
    text = """
services:
  db: {BOX, healthcheck: {test: CHECK, interval: 200ms, retries: 2}}
  web: {BOX, depends_on: {db: {condition: service_healthy}}}
"""
    compose(world, text.replace("CHECK", '["CMD", "false"]'))
    world.ctl("up").expect(1, f"dependency failed to start: container {world.project}-db-1 is unhealthy")
    world.nothing_left()
    compose(world, text.replace("CHECK", '["CMD", "false"]').replace("db: {BOX", "db: {image: IMAGE, command: sh -c 'sleep 0.3; exit 4'"))
    world.ctl("up").expect(1, f"dependency failed to start: container {world.project}-db-1 exited (4)")
    compose(world, text.replace(", healthcheck: {test: CHECK, interval: 200ms, retries: 2}", ""))
    world.ctl("up").expect(1, f"dependency failed to start: container {world.project}-db-1 has no healthcheck configured")
    equal(world.engine.containers(world.project, "web"), [], "the dependent's containers")


@scenario("C6.5: service_completed_successfully waits for exit 0, and fails in Compose's words")
def completed(world):
    text = """
services:
  job: {image: IMAGE, command: sh -c 'sleep 0.5; echo job >> /t/trace; exit CODE', volumes: ["./t:/t"]}
  web: {BOX, depends_on: {job: {condition: service_completed_successfully}}, volumes: ["./t:/t"], post_start: [{command: sh -c 'echo web >> /t/trace'}]}
"""
    compose(world, text.replace("CODE", "0"))
    world.ctl("up").expect(0)
    equal(tokens(world), ["job", "web"], "the order")
    services = world.services()
    equal(services["job"]["status"], "completed", "X28: a service that has ended well")
    world.ctl("down").expect(0)
    compose(world, text.replace("CODE", "3"))
    world.ctl("up").expect(1, 'service "job" didn\'t complete successfully: exit 3')
    world.nothing_left()


@scenario("C6.6: required: false: a dependency that is missing or fails is a warning, and the rest comes up")
def optional(world):
    compose(world, """
services:
  sick: {BOX, healthcheck: {test: ["CMD", "false"], interval: 200ms, retries: 2}}
  job: {image: IMAGE, command: "false"}
  web:
    image: IMAGE
    init: true
    command: sleep infinity
    depends_on:
      sick: {condition: service_healthy, required: false}
      job: {condition: service_completed_successfully, required: false}
      nowhere: {condition: service_started, required: false}
""")
    result = world.ctl("up").expect(0)
    for word in ("is unhealthy", "didn't complete successfully"):
        check(word in result.text, f"no warning of {word}: {result}")
    check(any("nowhere" in warning for warning in world.status()["warnings"]), "no warning of what is missing")
    only(world, "web")


@scenario("C6.7: scale 0 and --no-deps: such a dependency is not waited for; an unknown --scale is refused")
def no_waiting(world):
    compose(world, """
services:
  db: {BOX, healthcheck: {test: ["CMD", "false"]}, deploy: {replicas: 0}}
  job: {image: IMAGE, command: "false", scale: 0}
  cache: {BOX}
  web: {BOX, depends_on: {db: {condition: service_healthy}, job: {condition: service_completed_successfully}, cache: {condition: service_started}}}
  named: {BOX, container_name: NAME}
""".replace("NAME", f"{world.project}-own-name"))
    world.ctl("up", "--no-deps", "web").expect(0)
    equal(sorted(c["Labels"]["com.docker.compose.service"] for c in world.engine.containers(world.project)), ["web"],
          "containers after --no-deps")
    world.ctl("up").expect(0)
    equal(world.status()["status"], "up", "status with services of scale 0")
    equal(inspect(world, "named")["Name"], f"/{world.project}-own-name", "C9.2: container_name")
    world.ctl("up", "--scale", "named=2").expect(2, "container_name")
    world.ctl("up", "--scale", "webb=2").expect(5, "webb", "did you mean 'web'")
    world.ctl("up", "--scale", "cache=0").expect(0)
    equal(world.engine.containers(world.project, "cache"), [], "containers after --scale cache=0")


@scenario("X28: exit 0 without a healthcheck under restart: no is completed; a status or a healthcheck makes it a failure")
def ends_by_itself(world):
    compose(world, "services: {job: {image: IMAGE, command: 'true'}}\n")
    world.ctl("up").expect(0)
    wait_until(lambda: world.services()["job"]["status"] == "completed", "status completed")
    equal(world.status()["status"], "up", "status of the stack")
    compose(world, "services: {job: {image: IMAGE, command: sh -c 'echo about to fail; exit 7'}}\n")
    world.ctl("up").expect(1, "job", "7", "about to fail")
    compose(world, "services: {job: {image: IMAGE, command: 'true', healthcheck: {test: ['CMD', 'true'], interval: 30s, start_period: 5s}}}\n")
    world.ctl("up").expect(1, "exited (0)")


# ---- C8: what up decides

@scenario("C8.2, C8.4: a changed service is made anew with its anonymous volumes; one that cannot be made leaves the old one running")
def recreate(world):
    text = """
services:
  box: {BOX, volumes: ["/data"], labels: {edition: "${EDITION:-1}"}, CAPS}
  other: {BOX}
"""
    compose(world, text.replace(", CAPS", ""))
    world.ctl("up").expect(0)
    first, other = inspect(world, "box"), only(world, "other")["Id"]
    world.ctl("up", environment={"EDITION": "2"}).expect(0)
    second = inspect(world, "box")
    check(first["Id"] != second["Id"], "the container was not made anew")
    equal(second["Name"], f"/{world.project}-box-1", "its name")
    equal([m["Name"] for m in second["Mounts"]], [m["Name"] for m in first["Mounts"]], "its anonymous volume")
    equal(only(world, "other")["Id"], other, "the other service's container")
    compose(world, text.replace("CAPS", "cap_add: [NO_SUCH_CAPABILITY]"))
    world.ctl("up", environment={"EDITION": "2"}).expect(1, "NO_SUCH_CAPABILITY")
    equal(only(world, "box")["Id"], second["Id"], "X32: the old container, when the new one cannot be made")
    compose(world, text.replace(", CAPS", ""))
    world.ctl("down").expect(0)
    volume = first["Mounts"][0]["Name"]
    world.engine.call("GET", f"/volumes/{volume}")  # X13: not without -v
    world.engine.call("DELETE", f"/volumes/{volume}")
    world.ctl("up").expect(0)
    volume = inspect(world, "box")["Mounts"][0]["Name"]
    world.ctl("down", "-v").expect(0)
    world.engine.call("GET", f"/volumes/{volume}", good=(404,))


@scenario("C8.3: what does not change is left: a changed depends_on, scale or profile recreates nothing; --force-recreate does")
def diverged(world):
    compose(world, "services: {a: {BOX}, b: {BOX}}\n")
    world.ctl("up").expect(0)
    before = [only(world, name)["Id"] for name in "ab"]
    compose(world, "services: {a: {BOX, scale: 1}, b: {BOX, depends_on: [a]}}\n")
    world.ctl("up").expect(0)
    equal([only(world, name)["Id"] for name in "ab"], before, "containers")
    world.ctl("up", "--force-recreate", "a").expect(0)
    check(only(world, "a")["Id"] != before[0], "--force-recreate made nothing anew")
    compose(world, "services: {a: {BOX, ports: ['80']}, b: {BOX, depends_on: [a]}}\n")
    before = only(world, "a")["Id"]
    world.ctl("up").expect(0)
    check(only(world, "a")["Id"] != before, "a changed port made nothing anew")


@scenario("C8.7: a changed network is made anew with its containers; a changed volume is kept, and that is said")
def changed_resources(world):
    text = """
services:
  box: {BOX, networks: [front], volumes: ["data:/data", "./t:/t"], pre_stop: [{command: sh -c 'echo "$$STACKD_REASON" >> /t/trace'}]}
  other: {BOX}
networks: {front: {labels: {edition: "NET"}}}
volumes: {data: {labels: {edition: "VOL"}}}
"""
    compose(world, text.replace("NET", "1").replace("VOL", "1"))
    world.ctl("up").expect(0)
    network, other = [n for n in world.engine.networks(world.project) if n["Name"].endswith("_front")][0], only(world, "other")["Id"]
    compose(world, text.replace("NET", "2").replace("VOL", "1"))
    world.ctl("up").expect(0)
    again = [n for n in world.engine.networks(world.project) if n["Name"].endswith("_front")]
    equal(len(again), 1, "networks of that name")
    check(again[0]["Id"] != network["Id"] and again[0]["Labels"]["edition"] == "2", "the network was not made anew")
    endpoint = inspect(world, "box")["NetworkSettings"]["Networks"]
    equal(endpoint[f"{world.project}_front"]["NetworkID"], again[0]["Id"], "the container's network")
    equal(tokens(world), ["recreate"], "X8: pre_stop")
    equal(only(world, "other")["Id"], other, "a container that is not on it")
    compose(world, text.replace("NET", "2").replace("VOL", "2"))
    result = world.ctl("up").expect(0)
    check("data" in result.text and "warning" in result.text, f"nothing is said of the volume: {result}")
    equal(world.engine.volumes(world.project)[0]["Labels"]["edition"], "1", "the volume")
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("C8.2: a running container that is not on its network any more is made anew")
def left_network(world):
    compose(world, "services: {box: {BOX, networks: [front]}, other: {BOX}}\nnetworks: {front: }\n")
    world.ctl("up").expect(0)
    first, other = only(world, "box")["Id"], only(world, "other")["Id"]
    world.engine.call("POST", f"/networks/{world.project}_front/disconnect", {"Container": first})
    world.ctl("up").expect(0)
    check(only(world, "box")["Id"] != first, "the container was left without its network")
    equal(sorted(inspect(world, "box")["NetworkSettings"]["Networks"]), [f"{world.project}_front"], "its networks")
    equal(only(world, "other")["Id"], other, "a container that was on its own")
    world.ctl("up").expect(0, "nothing to do")


@scenario("C8.2: a service in another one's network namespace is made anew with that one")
def namespaces(world):
    compose(world, """
services:
  net: {BOX, labels: {edition: "${EDITION:-1}"}}
  app: {BOX, network_mode: "service:net", pre_start: [{command: "true"}]}
""")
    world.ctl("up").expect(0)
    equal(inspect(world, "app")["HostConfig"]["NetworkMode"], "container:" + only(world, "net")["Id"], "network_mode")
    world.ctl("up", environment={"EDITION": "2"}).expect(0)
    equal(inspect(world, "app")["HostConfig"]["NetworkMode"], "container:" + only(world, "net")["Id"], "network_mode again")
    result = world.ctl("up", environment={"EDITION": "2"}).expect(0, "nothing to do")
    check(result, "")


@scenario("C8.7, C9.2: external networks and volumes are used, never made and never removed; a missing one is an error")
def external(world):
    text = f"""
services: {{box: {{BOX, networks: [out], volumes: ["data:/data"]}}}}
networks: {{out: {{external: true, name: {world.project}-out}}}}
volumes: {{data: {{external: true, name: {world.project}-data}}}}
"""
    compose(world, text)
    world.ctl("up").expect(1, f"{world.project}-", "external")
    world.engine.call("POST", "/networks/create", {"Name": f"{world.project}-out"})
    world.engine.call("POST", "/volumes/create", {"Name": f"{world.project}-data"})
    try:
        world.ctl("up").expect(0)
        check(f"{world.project}-out" in inspect(world, "box")["NetworkSettings"]["Networks"], "the external network")
        world.ctl("down", "-v").expect(0)
        world.engine.call("GET", f"/networks/{world.project}-out")
        world.engine.call("GET", f"/volumes/{world.project}-data")
    finally:
        for container in world.engine.containers(world.project):
            world.engine.call("DELETE", f"/containers/{container['Id']}?force=1")
        world.engine.call("DELETE", f"/networks/{world.project}-out")
        world.engine.call("DELETE", f"/volumes/{world.project}-data")


# ---- C10: flags

@scenario("C10: up SERVICE brings what it needs, down SERVICE takes what needs it; stop, start and restart take names")
def by_name(world):
    compose(world, """
services:
  db: {BOX}
  web: {BOX, depends_on: [db]}
  apart: {BOX}
""")

    def running():
        return sorted(c["Labels"]["com.docker.compose.service"] for c in world.engine.running(world.project))
    world.ctl("up", "web").expect(0)
    equal(running(), ["db", "web"], "after up web")
    world.ctl("up").expect(0)
    equal(running(), ["apart", "db", "web"], "after up")
    world.ctl("stop", "web").expect(0)
    equal(running(), ["apart", "db"], "after stop web")
    world.ctl("start", "web").expect(0)
    equal(running(), ["apart", "db", "web"], "after start web")
    before = inspect(world, "apart")["State"]["StartedAt"], inspect(world, "web")["State"]["StartedAt"]
    world.ctl("restart", "web").expect(0)
    equal(inspect(world, "apart")["State"]["StartedAt"], before[0], "apart, with restart web")
    check(inspect(world, "web")["State"]["StartedAt"] > before[1], "web was not restarted")
    world.ctl("down", "db").expect(0)
    equal(running(), ["apart"], "after down db")
    world.ctl("stop", "webb").expect(5, "did you mean 'web'")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("C10: --pull never does not pull, --build builds again, --rmi local takes what was built")
def images(world):
    world.file("stack/app/Dockerfile", f"FROM {IMAGE} AS one\nRUN echo one > /made\nFROM {IMAGE} AS two\nCOPY word /made\n")
    world.file("stack/app/word", "first\n")
    compose(world, "services: {box: {build: {context: app, target: two, labels: {a: b}}, init: true, command: sleep infinity}}\n")
    world.ctl("up").expect(0)
    first = inspect(world, "box")
    world.file("stack/app/word", "second\n")
    world.ctl("up").expect(0, "nothing to do")
    world.ctl("up", "--build").expect(0)
    second = inspect(world, "box")
    check(first["Image"] != second["Image"], "--build built nothing")
    result = world.ctl("exec", "true").expect(0)
    check(result, "")
    world.ctl("down", "--rmi", "local").expect(0)
    world.engine.call("GET", f"/images/{world.project}-box/json", good=(404,))
    compose(world, "services: {box: {image: 'no-such-image:0', command: 'true'}}\n")
    world.ctl("up", "--pull", "never").expect(1, "no-such-image", "never")


# ---- every key that has an effect on the container

KEYS = """
services:
  box:
    image: IMAGE
    container_name: NAME-box
    command: ["-c", "sleep infinity"]
    entrypoint: [sh]
    environment: {A: "1", EMPTY: "", FROM_CALLER: }
    env_file: [{path: more.env}, {path: missing.env, required: false}]
    ports: ["127.0.0.1::80", {target: 81, protocol: udp}]
    expose: ["90"]
    volumes:
      - ./t:/t:ro
      - data:/data
      - /anonymous
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1m}}
      - {type: bind, source: ./t, target: /t2, read_only: true}
    tmpfs: ["/run/x:size=64k"]
    networks: {front: {aliases: [alias], priority: 10}, back: }
    healthcheck: {test: [CMD-SHELL, "true"], interval: 3s, timeout: 2s, retries: 4, start_period: 1s}
    user: "0:0"
    working_dir: /tmp
    labels: [one=1, two]
    restart: on-failure:3
    init: true
    stop_signal: SIGINT
    stop_grace_period: 1500ms
    hostname: own-host
    domainname: example.test
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    extra_hosts: ["other:10.1.2.3"]
    dns: [10.9.9.9]
    dns_search: [example.test]
    sysctls: {net.core.somaxconn: 1024}
    ulimits: {nofile: {soft: 1000, hard: 2000}, nproc: 500}
    security_opt: ["no-new-privileges:true"]
    group_add: ["27"]
    shm_size: 8m
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 100
    oom_score_adj: 100
    privileged: false
    tty: true
    stdin_open: true
    logging: {driver: json-file, options: {max-size: 1m}}
    ipc: private
    devices: ["/dev/null:/dev/own"]
    secrets: [password, {source: token, target: /own/token}]
    configs: [{source: conf, target: /conf}]
networks: {front: , back: }
volumes: {data: }
secrets: {password: {file: pw.txt}, token: {environment: TOKEN}}
configs: {conf: {content: "key=${A_VALUE}"}}
"""


@scenario("Each key of a service has its effect on the container, as docker inspect shows it")
def keys(world):
    world.file("stack/pw.txt", "swordfish")
    world.file("stack/more.env", "A=overridden\nB='from # file'\nC=\"x $$Y\"\n")
    compose(world, KEYS.replace("NAME", world.project))
    world.ctl("up", environment={"FROM_CALLER": "yes", "TOKEN": "t0k3n", "A_VALUE": "value"}).expect(0)
    box = inspect(world, "box")
    config, host = box["Config"], box["HostConfig"]
    equal(config["Entrypoint"], ["sh"], "entrypoint")
    equal(config["Cmd"], ["-c", "sleep infinity"], "command")
    env = dict(item.split("=", 1) for item in config["Env"])
    equal([env.get(name) for name in ("A", "B", "EMPTY", "FROM_CALLER")], ["1", "from # file", "", "yes"], "environment")
    bound = host["PortBindings"]
    equal(bound["80/tcp"][0]["HostIp"], "127.0.0.1", "ports: host address")
    check(int(bound["81/udp"][0]["HostPort"]) > 0, "ports: udp")
    check("90/tcp" in config["ExposedPorts"], "expose")
    mounts = {m["Destination"]: m for m in box["Mounts"]}
    equal([mounts[t]["Type"] for t in ("/t", "/data", "/anonymous", "/scratch", "/t2")],
          ["bind", "volume", "volume", "tmpfs", "bind"], "volumes")
    equal([mounts[t]["RW"] for t in ("/t", "/data", "/t2")], [False, True, False], "volumes: ro")
    equal(mounts["/data"]["Name"], f"{world.project}_data", "volumes: the name")
    equal(host["Tmpfs"], {"/run/x": "size=64k"}, "tmpfs")
    networks = box["NetworkSettings"]["Networks"]
    equal(sorted(networks), [f"{world.project}_back", f"{world.project}_front"], "networks")
    check({"alias", "box"} <= set(networks[f"{world.project}_front"]["Aliases"]), "networks: aliases")
    equal(config["Healthcheck"], {"Test": ["CMD-SHELL", "true"], "Interval": 3 * 10**9, "Timeout": 2 * 10**9, "Retries": 4,
                                  "StartPeriod": 10**9}, "healthcheck")
    for key, value in (("User", "0:0"), ("WorkingDir", "/tmp"), ("StopSignal", "SIGINT"), ("StopTimeout", 1),
                       ("Hostname", "own-host"), ("Domainname", "example.test"), ("Tty", True), ("OpenStdin", True)):
        equal(config[key], value, key)
    equal([config["Labels"][key] for key in ("one", "two")], ["1", ""], "labels")
    equal(host["RestartPolicy"], {"Name": "on-failure", "MaximumRetryCount": 3}, "restart")
    for key, value in (("Init", True), ("ExtraHosts", ["other:10.1.2.3"]), ("Dns", ["10.9.9.9"]),
                       ("DnsSearch", ["example.test"]), ("Sysctls", {"net.core.somaxconn": "1024"}),
                       ("SecurityOpt", ["no-new-privileges:true"]), ("GroupAdd", ["27"]), ("ShmSize", 8 * 2**20),
                       ("Memory", 64 * 2**20), ("NanoCpus", 5 * 10**8), ("PidsLimit", 100), ("OomScoreAdj", 100),
                       ("IpcMode", "private")):
        equal(host[key], value, key)
    equal([c.removeprefix("CAP_") for c in host["CapAdd"] + host["CapDrop"]], ["NET_ADMIN", "MKNOD"], "capabilities")
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in host["Ulimits"]}
    equal(limits, {"nofile": (1000, 2000), "nproc": (500, 500)}, "ulimits")
    equal(host["LogConfig"], {"Type": "json-file", "Config": {"max-size": "1m"}}, "logging")
    equal(host["Devices"][0]["PathInContainer"], "/dev/own", "devices")
    equal(execute(world, box["Id"], "cat /run/secrets/password /own/token /conf"), "swordfisht0k3nkey=value", "secrets, configs")


def execute(world, container, command):
    made = world.engine.call("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command], "AttachStdout": True})
    raw = world.engine.call("POST", f"/exec/{made['Id']}/start", {"Detach": False}, raw=True)
    return "".join(chunk.decode() for chunk in re.findall(rb"[\x01\x02]\0\0\0....(.*?)(?=[\x01\x02]\0\0\0|\Z)", raw, re.S))


@scenario("links, volumes_from and pid: service: are made of the other containers' names and ids")
def linked(world):
    compose(world, """
services:
  db: {BOX, volumes: ["/data"], post_start: [{command: sh -c 'echo here > /data/file'}]}
  web: {BOX, links: ["db:database"], volumes_from: ["db:ro"], pid: "service:db"}
""")
    world.ctl("up").expect(0)
    web, db = inspect(world, "web"), only(world, "db")["Id"]
    equal(web["HostConfig"]["PidMode"], "container:" + db, "pid")
    equal(execute(world, web["Id"], "cat /data/file; nslookup database >/dev/null 2>&1 && echo known || grep -c database /etc/hosts").split()[0],
          "here", "volumes_from")
    check(execute(world, web["Id"], "ping -c1 -W1 database >/dev/null 2>&1; echo $?").strip() in ("0", "1"), "links")
    links = web["NetworkSettings"]["Networks"][f"{world.project}_default"]["Links"]
    check(f"{world.project}-db-1:database" in links, f"links: {links}")


@scenario("Keys that are not supported or not known are errors with their place, and the nearest known key")
def refused(world):
    for text, words in (("gpus: all", ["compose.yaml:2:", "gpus"]), ("imgae: x", ["compose.yaml:2:", "imgae", "did you mean 'image'"]),
                        ("blkio_config: {weight: 300}", ["compose.yaml:2:", "blkio_config"])):
        compose(world, "services:\n  box: {" + text + ", image: IMAGE}\n")
        world.ctl("up").expect(2, *words)
    compose(world, "services:\n  box: {image: IMAGE, read_only: true, configs: [c]}\nconfigs: {c: {content: x}}\n")
    world.ctl("up").expect(2, "compose.yaml:2:", "read_only", "config 'c'")
    os.unlink(world.path("stack/compose.yaml"))
    world.stack(f"services: {{box: {{image: {IMAGE}}}}}\nruntime: {{target: swarm}}\n")
    world.ctl("up").expect(2, "stackd.yaml:2:", "swarm", "not supported")
    equal(world.engine.containers(world.project), [], "containers")


# ---- config

@scenario("config prints Compose's canonical model of a compose.yaml, and its lists; a stackd.yaml is printed whole")
def config(world):
    compose(world, """
x-common: &common {restart: "no", labels: {tag: "${TAG:-1}"}}
services:
  web: {<<: *common, image: IMAGE, ports: ["8080:80"], command: echo $$HOME, depends_on: [db], profiles: [full]}
  db: {image: IMAGE, volumes: ["data:/data"], pre_start: [{image: "other:1", command: "true"}, {command: "false"}]}
volumes: {data: }
""")
    model = world.ctl("config", "--format", "json", "--profile", "full").expect(0).json()
    equal(model["services"]["web"]["ports"], [{"mode": "ingress", "protocol": "tcp", "published": "8080", "target": 80}], "ports")
    equal(model["services"]["web"]["command"], ["echo", "$$HOME"], "a dollar")
    equal(model["x-common"]["labels"], {"tag": "1"}, "x-*")
    equal(model["name"], world.project, "name")
    equal([hook["image"] for hook in model["services"]["db"]["pre_start"]], ["other:1", IMAGE], "C1.5: images of pre_start")
    equal(world.ctl("config", "--services").expect(0).out.split(), ["db"], "--services, without the profile")
    equal(world.ctl("config", "--images").expect(0).out.split(), [IMAGE, "other:1"], "C1.6: --images")
    equal(world.ctl("config", "--volumes").expect(0).out.split(), ["data"], "--volumes")
    equal(world.ctl("config", "--quiet").expect(0).out, "", "--quiet")
    hashes = world.ctl("config", "--hash", "*").expect(0).out.split()
    equal([hashes[0], len(hashes[1])], ["db", 64], "--hash")
    text = world.ctl("config").expect(0).out
    for line in (f"name: {world.project}", "services:", "  db:", "      default: null", "    pre_start:", "      - command:"):
        check(line in text.splitlines(), f"config: {line!r} is not in\n{text}")
    world.file("stack/again/compose.yaml", text)
    again = world.ctl("config", "--format", "json", directory="stack/again").expect(0).json()
    equal(again["services"], world.ctl("config", "--format", "json").expect(0).json()["services"], "the model, read again")
    world.ctl("down", project=True).expect(5)
    os.unlink(world.path("stack/compose.yaml"))
    world.stack(f"""
services: {{db: {{image: {IMAGE}, lifecycle: {{after_ready: [echo ready]}}, hooks: {{post_build: echo built}}}}}}
owned: {{api: {{cmd: "run --port $PORT", port: {{env: PORT}}, depends_on: [db], ready_when: {{tcp: "${{owned.api.port}}"}}}}}}
env: {{A: "1"}}
lifecycle: {{before_up: [[echo a, echo b], {{cmd: echo c, timeout: 5s}}]}}
commands: {{test: {{cmd: make test}}}}
""")
    model = world.ctl("config", "--json").expect(0).json()
    equal(model["lifecycle"]["before_up"], [["echo a", "echo b"], {"cmd": "echo c", "timeout": "5000ms"}], "hooks")
    equal(model["owned"]["api"]["port"], {"env": "PORT"}, "owned")
    equal(model["services"]["db"]["lifecycle"], {"after_ready": ["echo ready"]}, "a service's own hooks")
    world.file("stack/again/stackd.yaml", world.ctl("config").expect(0).out)
    os.unlink(world.path("stack/again/compose.yaml"))
    again = world.ctl("config", "--json", directory="stack/again").expect(0).json()
    for key in ("owned", "env", "lifecycle", "commands", "services"):
        drop = json.dumps(again[key]).replace("/stack/again", "/stack")
        equal(json.loads(drop), model[key], f"{key}, read again")


@scenario("graph shows who comes after whom, as text, JSON and dot; nothing is run")
def graph(world):
    world.stack(f"""
services: {{db: {{image: {IMAGE}, healthcheck: {{test: "true"}}}}, web: {{image: {IMAGE}, depends_on: {{db: {{condition: service_healthy}}}}}}}}
owned: {{api: {{cmd: exec sleep 1}}}}
""")
    text = world.ctl("graph").expect(0).out
    check(re.search(r"^web +container +db \(service_healthy\)", text, re.M), text)
    document = world.ctl("graph", "--json").expect(0).json()
    equal([service["name"] for service in document["services"]], ["db", "web", "api"], "an order in which they could start")
    equal(document["services"][2]["depends_on"][0]["implied"], True, "X33: what is implied")
    check('"web" -> "db"' in world.ctl("graph", "--dot").expect(0).out, "dot")
    equal(world.engine.containers(world.project), [], "containers")
    world.ctl("status").expect(5)
    world.stack("services: {a: {imgae: x}}\n")
    world.ctl("graph").expect(2, "did you mean")
    try:
        world.ctl("config").expect(2, "did you mean")
    except Failure as failure:
        raise Failure(f"config of a wrong file: {failure}") from failure
