"""Compose's hooks (C1 to C5 of semantics.md, with part X), one scenario for each thing that a user can observe."""

import os

from compose_support import BOX, compose, inspect, only, tokens
from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


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

@scenario("C4.5, X2: a pre_start container has the service's volumes, networks, name and environment; no ports, no number")
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


@scenario("C5.3, C5.4, X8: pre_stop runs on recreate, scale-down, stop, restart and down, and STACKD_REASON says which")
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


@scenario("X8: a service's before_down runs once, before the pre_stop of each container, when its containers are made anew")
def before_down_of_replicas(world):
    text = f"""
services:
  box: {{{BOX}, scale: 2, volumes: ["./t:/t"], labels: {{edition: "EDITION"}},
        lifecycle: {{before_down: ['echo "down $STACKD_REASON" >> t/trace; sleep 0.3', exit 3]}},
        pre_stop: [{{command: sh -c 'echo "stop $$STACKD_REASON" >> /t/trace'}}]}}
  web: {{{BOX}, depends_on: {{box: {{condition: service_started, restart: true}}}},
        lifecycle: {{before_down: ['echo "web $STACKD_REASON" >> t/trace']}}}}
"""
    world.stack(text.replace("EDITION", "1"))
    world.ctl("up").expect(0)
    world.stack(text.replace("EDITION", "2"))
    world.ctl("up").expect(0, "warning")
    equal(tokens(world), ["web dependency-restart", "down recreate", "stop recreate", "stop recreate"], "the hooks")
    equal([(r["service"], r["index"], r["state"]) for r in world.hooks() if r["phase"] == "before_down"],
          [("web", 0, "succeeded"), ("box", 0, "succeeded"), ("box", 1, "failed")], "the records")
    equal({s["status"] for s in world.services().values()}, {"ready"}, "the services")
    world.ctl("down").expect(0)
    world.nothing_left()


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


@scenario("X7, X8: a pre_stop that fails while an up takes a replica or an orphan away, makes one anew or restarts a dependent, is a warning")
def failing_surplus(world):
    fails = "pre_stop: [{command: sh -c 'exit 3'}]"
    compose(world, f"services: {{box: {{BOX, scale: 2, {fails}}}, other: {{BOX}}}}\n")
    world.ctl("up").expect(0)
    world.ctl("up", "--scale", "box=1").expect(0, "warning: box hook exited with status 3")
    world.ctl("up", "--force-recreate", "--scale", "box=1").expect(0, "warning: box hook exited with status 3")
    compose(world, "services: {other: {BOX}}\n")
    world.ctl("up", "--remove-orphans").expect(0, "warning: box hook exited with status 3")
    equal(world.engine.containers(world.project, "box"), [], "the orphan")
    equal(world.status()["status"], "up", "the stack's status")
    text = (f"services: {{other: {{BOX, labels: {{edition: '1'}}}}, box: {{BOX, {fails}, "
            "depends_on: {other: {condition: service_started, restart: true}}}}\n")
    compose(world, text)
    world.ctl("up").expect(0)
    compose(world, text.replace("'1'", "'2'"))
    world.ctl("up").expect(0, "warning: box hook exited with status 3")
    equal(world.status()["status"], "up", "the stack's status after a dependency's restart")
    compose(world, "services: {other: {BOX}}\n")
    world.ctl("down").expect(1, "box hook exited with status 3")
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


@scenario("C5.6, C5.7, X5, X6: a paused container is stopped without its hook, and that is said; restart of a stopped service starts it")
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
