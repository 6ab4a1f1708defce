"""Compose's convergence with its flags; names and ports that somebody else holds; what a down cannot take away."""

import os
import time

from harness import IMAGE, check, equal
from scenarios import scenario

BOX = f"image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s"


def ids(world):
    return {c["Labels"]["com.docker.compose.service"]: c["Id"] for c in world.engine.containers(world.project)}


def foreign(world, name, **host):
    """A container of a project of somebody else."""
    body = {"Image": IMAGE, "Cmd": ["sleep", "1000"], "HostConfig": host, "ExposedPorts": {"80/tcp": {}},
            "Labels": {"com.docker.compose.project": world.project + "other", "com.docker.compose.service": "db",
                       "com.docker.compose.project.working_dir": "/somewhere"}}
    made = world.engine.call("POST", f"/containers/create?name={name}", body)["Id"]
    world.engine.call("POST", f"/containers/{made}/start")
    return made


@scenario("C6.5: a dependency of two replicas is complete when both are, and failed when one is")
def two_replicas(world):
    file = f"""
services:
  prepare:
    image: {IMAGE}
    init: true
    deploy: {{replicas: 2}}
    volumes: ['@DIR@/t:/t']
    command: sh -c 'if mkdir /t/first; then @FIRST@; else @SECOND@; fi; touch /t/done.$$(hostname)'
  app:
    {{image: {IMAGE}, init: true, volumes: ['@DIR@/t:/t'], stop_grace_period: 1s, command: sh -c 'ls /t | grep -c ^done > /t/seen; exec sleep 600',
      depends_on: {{prepare: {{condition: service_completed_successfully}}}}}}
"""
    world.stack(file.replace("@FIRST@", "true").replace("@SECOND@", "sleep 2"))
    world.ctl("up").expect(0)
    equal(world.lines("stack/t/seen"), ["2"], "replicas that were done")
    world.ctl("up").expect(0)
    world.ctl("down").expect(0)
    world.engine.run(world.project, ["sh", "-c", "true"])
    world.stack(file.replace("/t/first", "/t/second").replace("/t/seen", "/t/ran")
                .replace("@FIRST@", "exit 0").replace("@SECOND@", "sleep 1; exit 3"))
    world.ctl("up").expect(1, "didn't complete successfully: exit 3")
    check(not os.path.exists(world.path("stack/t/ran")), "app was started")


@scenario("A renamed service gets its name and port with --remove-orphans; without it the message says who has them")
def renamed(world):
    port = world.ports + 45
    file = f"services: {{@NAME@: {{{BOX}, container_name: {world.project}-kept, ports: ['127.0.0.1:{port}:80']}}}}\n"
    world.stack(file.replace("@NAME@", "old"))
    world.ctl("up").expect(0)
    first = ids(world)
    world.stack(file.replace("@NAME@", "new"))
    world.ctl("up").expect(1, "'old'", "--remove-orphans")
    equal(ids(world), first, "after the refused up")
    equal(len(world.engine.running(world.project)), 1, "the old one runs")
    world.ctl("up", "--remove-orphans").expect(0)
    equal(list(ids(world)), ["new"], "containers")
    world.stack(file.replace("@NAME@", "newer").replace(f", ports: ['127.0.0.1:{port}:80']", ""))
    world.ctl("up").expect(1, "the name is taken", "'new'", "--remove-orphans")
    world.ctl("down").expect(0)
    world.nothing_left()


@scenario("A foreign container that has a name or a port is named, with its project and what to do")
def foreign_holders(world):
    port = world.ports + 46
    made = foreign(world, world.project + "-taken", PortBindings={"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]})
    try:
        world.stack(f"services: {{a: {{{BOX}, container_name: {world.project}-taken}}}}\n")
        said = world.ctl("up").expect(1, f"of project '{world.project}other'", "of /somewhere")
        check(f"docker compose -p {world.project}other down" in said.text, str(said))
        world.stack(f"services: {{a: {{{BOX}, ports: ['127.0.0.1:{port}:80']}}}}\n")
        world.ctl("up").expect(1, f"host port {port}", f"of project '{world.project}other'")
    finally:
        world.engine.call("DELETE", f"/containers/{made}?force=1")


@scenario("C8.3: --no-recreate, --always-recreate-deps, -V, -t and --no-start do what Compose's do")
def flags(world):
    file = f"""
services:
  db: {{{BOX}, environment: {{A: "@A@"}}, volumes: ['/anon']}}
  web: {{{BOX}, depends_on: [db]}}
"""
    world.stack(file.replace("@A@", "1"))
    world.ctl("up", "--no-start").expect(0)
    equal({c["State"] for c in world.engine.containers(world.project)}, {"created"}, "states")
    world.ctl("up").expect(0)
    first = ids(world)
    world.stack(file.replace("@A@", "2"))
    world.ctl("up", "--no-recreate", "--dry-run").expect(0, "nothing to do")
    world.ctl("up", "--no-recreate").expect(0)
    equal(ids(world), first, "with --no-recreate")
    world.ctl("up", "--no-recreate", "--force-recreate").expect(2, "together with")

    def volume():
        return [m["Name"] for m in world.engine.inspect(ids(world)["db"])["Mounts"]][0]

    kept = volume()
    started = time.monotonic()
    world.ctl("up", "-t", "0").expect(0)
    check(time.monotonic() - started < 10, "-t was not heeded")
    second = ids(world)
    check(second["db"] != first["db"] and second["web"] == first["web"], "db alone is another")
    equal(volume(), kept, "the anonymous volume")
    world.ctl("up", "web", "--always-recreate-deps").expect(0)
    check(ids(world)["db"] != second["db"] and ids(world)["web"] == second["web"], "the dependency alone is another")
    world.ctl("up", "-V").expect(0)
    new = volume()
    check(new != kept, "-V kept the volume")
    world.ctl("up", "--timeout", "10").expect(2, "--timeout 10s", "-t 10")
    world.ctl("up", "-d", "--wait", "--wait-timeout", "60").expect(0, "nothing to do")
    world.ctl("down", "-v").expect(0)
    world.engine.call("DELETE", f"/volumes/{kept}", good=(204, 404))


@scenario("--no-build does not build an image that is not there")
def no_build(world):
    world.stack(f"services: {{a: {{build: {{context: ., dockerfile_inline: 'FROM {IMAGE}'}}, command: sleep infinity}}}}\n")
    world.ctl("up", "--no-build").expect(1, "--no-build keeps it from being built")


@scenario("A down of what was never up is done; what it cannot remove it names, and who holds it")
def downs(world):
    world.stack(f"services: {{a: {{{BOX}}}}}\n")
    world.ctl("down").expect(0, "nothing to take down")
    equal(world.ctl("--json", "down").expect(0).json()["unchanged"], True, "its document")
    world.ctl("up").expect(0)
    made = foreign(world, world.project + "-guest", NetworkMode=f"{world.project}_default")
    try:
        world.ctl("down").expect(0, f"network '{world.project}_default' stays: container '{world.project}-guest'",
                                 f"of project '{world.project}other' is on it")
    finally:
        world.engine.call("DELETE", f"/containers/{made}?force=1")
