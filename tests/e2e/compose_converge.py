"""What an up changes and what it waits for (C6 to C10 of semantics.md), one scenario for each thing that a user can observe."""

import os
import signal
import time

from compose_support import compose, inspect, only, tokens
from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


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
    world.file("stack/app/Dockerfile", f"FROM {IMAGE} AS one\nLABEL com.docker.compose.project={world.project}\nRUN echo one > /made\nFROM {IMAGE} AS two\nCOPY word /made\n")
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


@scenario("a healthcheck that hangs is ended in the container when it is out of time: there is never more than one")
def healthcheck_hangs(world):
    compose(world, """
services:
  box: {BOX, healthcheck: {test: "touch /tmp/$$$$; sleep 7531", interval: 1h, timeout: 400ms}}
""")
    up = world.spawn("up")
    tries = lambda: [line for line in os.popen("ps -eo args").read().splitlines() if line == "sleep 7531"]
    most = 0
    for _ in range(100):  # whenever one looks
        most = max(most, len(tries()))
        time.sleep(0.05)
    check(most == 1, f"{most} at once")
    os.kill(up.pid, signal.SIGINT)
    equal(world.end_of(up).code, 130, "its exit status")
    world.nothing_left()
