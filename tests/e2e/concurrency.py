"""Several at once: the same wish twice, two checkouts, and many stacks."""

import json
import os
import threading

from harness import IMAGE, check, equal, wait_until
from scenarios import scenario


@scenario("T30, L2.3, X25: two ups at once are one operation; the second joins it, from a directory below too")
def two_ups(world):
    world.stack("""
owned: {a: {cmd: exec sleep 1000}}
lifecycle: {before_up: ["echo run >> t/trace; while [ ! -e t/go ]; do sleep 0.05; done"]}
""")
    first = world.spawn("up")
    wait_until(lambda: world.read("stack/t/trace"), "the first up to begin")
    second = world.spawn("--json", "up", directory="stack/t")
    def joined():
        second.output.flush()
        return second.poll() is None and len(world.daemon.get("/v1/operations")["operations"]) == 1
    wait_until(joined, "the second up")
    world.file("stack/t/go", "")
    world.end_of(first).expect(0)
    told = json.loads(world.end_of(second).expect(0).out.splitlines()[-1])
    equal((told["state"], told["joined"]), ("succeeded", True), "what the second was told")
    equal(world.lines("stack/t/trace"), ["run"], "runs of the hook")
    ups = [o for o in world.daemon.get("/v1/operations")["operations"] if o["kind"] == "up"]
    check(len(ups) <= 2, f"operations: {ups}")


@scenario("Ten ups of ten stacks at once: each has its own ports, names and hooks")
def many_stacks(world):
    text = """
name: @NAME@
owned: {api: {cmd: "exec busybox httpd -f -p 127.0.0.1:$PORT -h .", port: {env: PORT}, ready_when: {tcp: "${owned.api.port}"}}}
lifecycle: {after_up: ["echo up >> t/trace"], after_down: ["echo down >> t/trace"]}
"""
    names = [f"{world.project}-{n}" for n in range(10)]
    for name in names:
        world.stack(text.replace("@NAME@", name), directory=name)
    results = {}

    def go(command):
        def one(name):
            results[name] = world.ctl(command, directory=name, project=False)
        threads = [threading.Thread(target=one, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in names:
            results[name].expect(0)

    go("up")
    stacks = world.daemon.get("/v1/stacks")["stacks"]
    ports = [port["host_port"] for stack in stacks for service in stack["services"] for port in service["ports"]]
    equal(len(set(ports)), 10, f"different ports among {ports}")
    go("down")
    for name in names:
        equal(world.lines(os.path.join(name, "t/trace")), ["up", "down"], f"hooks of {name}")


@scenario("Two checkouts of one repository are two stacks, with names and ports of their own")
def two_checkouts(world):
    text = f"""
services: {{web: {{image: {IMAGE}, init: true, command: httpd -f -p 8080, ports: ["8080"]}}}}
"""
    world.stack(text, directory="one/shop")
    world.stack(text, directory="two/shop")
    try:
        world.ctl("up", directory="one/shop", project=False).expect(0)
        ids = {stack["id"] for stack in world.daemon.get("/v1/stacks")["stacks"]}
        world.ctl("-p", world.project, "up", directory="two/shop", project=False).expect(0)
        stacks = {stack["id"]: stack for stack in world.daemon.get("/v1/stacks")["stacks"]}
        equal(len(stacks), 2, "stacks")
        check(ids < set(stacks), "the first one is still known by its id")
        ports = [service["ports"][0]["host_port"] for stack in stacks.values() for service in stack["services"]]
        equal(len(set(ports)), 2, f"different ports among {ports}")
    finally:
        world.ctl("down", directory="one/shop", project=False).expect(0)
        world.ctl("down", directory="two/shop").expect(0)


@scenario("Two checkouts of one name come up at once: the second's containers, network and volume are named apart, and stay so")
def same_name(world):
    text = f"""
services:
  web: {{image: {IMAGE}, init: true, command: "httpd -f -p 8080", ports: ["8080"], volumes: ["data:/data"]}}
volumes: {{data: {{}}}}
"""
    one, two = (f"{where}/{world.project}" for where in ("one", "two"))
    for directory in (one, two):
        world.stack(text, name="compose.yaml", directory=directory)
    two_id = lambda stacks: next(stack["id"] for stack in stacks if stack["directory"] == world.path(two))
    def up(directory, results):
        results.append(world.ctl("up", directory=directory, project=False))
    try:
        for _ in range(2):
            results = []
            threads = [threading.Thread(target=up, args=(directory, results)) for directory in (one, two)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for result in results:
                result.expect(0)
            stacks = world.daemon.get("/v1/stacks")["stacks"]
            equal(sorted(stack["status"] for stack in stacks), ["up", "up"], "the stacks")
            names = sorted(stack["name"] for stack in stacks)
            apart = next(stack["id"] for stack in stacks if stack["name"] != world.project)
            equal(names, [world.project, apart], "their names")
            for name in names:
                equal([c["Names"] for c in world.engine.running(name)], [[f"/{name}-web-1"]], "containers")
                equal([v["Name"] for v in world.engine.volumes(name)], [f"{name}_data"], "volumes")
            world.ctl("exec", "sh", "-c", "echo $STACKD_STACK_ID", directory=two, project=False).expect(0, f"{two_id(stacks)}\n")
            world.ctl("down", directory=two, project=False).expect(0)
            equal(len(world.engine.running(world.project)) + len(world.engine.running(apart)), 1, "the other's container")
    finally:
        for directory in (one, two):
            world.ctl("down", "-v", directory=directory, project=False).expect(0)
    world.nothing_left()


@scenario("A stack gets the ports back that it had last time")
def same_ports(world):
    world.stack(f'services: {{web: {{image: {IMAGE}, init: true, command: sleep infinity, ports: ["80", "81"]}}}}\n')
    world.ctl("up").expect(0)
    before = sorted(port["host_port"] for port in world.services()["web"]["ports"])
    world.ctl("down").expect(0)
    world.ctl("up").expect(0)
    equal(sorted(port["host_port"] for port in world.services()["web"]["ports"]), before, "ports of the second up")
