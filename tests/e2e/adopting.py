"""X37: a stack that Docker Compose has up is taken over, and goes again whole. What Compose makes is made here through the
engine, with its names and labels, so that no Compose is needed."""

from harness import IMAGE, check, equal
from scenarios import scenario

FILE = f"""
services:
  db: {{image: {IMAGE}, init: true, command: sleep infinity, stop_grace_period: 1s, volumes: ['data:/data', '/anon']}}
volumes: {{data: {{}}}}
"""


def compose_up(world, directory):
    """What `docker compose up -d` leaves of FILE, and a one-off of `run`."""
    project = world.project
    labels = {"com.docker.compose.project": project, "com.docker.compose.project.working_dir": directory,
              "com.docker.compose.version": "2.40.0"}
    world.engine.call("POST", "/networks/create", {"Name": f"{project}_default",
                                                   "Labels": labels | {"com.docker.compose.network": "default"}})
    world.engine.call("POST", "/volumes/create", {"Name": f"{project}_data", "Labels": labels | {"com.docker.compose.volume": "data"}})

    def container(name, oneoff):
        own = labels | {"com.docker.compose.service": "db", "com.docker.compose.container-number": "1",
                        "com.docker.compose.oneoff": oneoff, "com.docker.compose.config-hash": "0" * 64}
        body = {"Image": IMAGE, "Cmd": ["sleep", "infinity"], "Labels": own, "Volumes": {"/anon": {}},
                "HostConfig": {"Init": True, "Binds": [f"{project}_data:/data"], "NetworkMode": f"{project}_default"}}
        made = world.engine.call("POST", f"/containers/create?name={name}", body)["Id"]
        world.engine.call("POST", f"/containers/{made}/start")
        return made

    made = container(f"{project}-db-1", "False")
    oneoff = container(f"{project}-db-run-1", "True")
    world.engine.run(project, ["sh", "-c", "echo kept > /v/word"], volume=f"{project}_data")
    return made, oneoff


def volumes(world, container):
    return {m["Destination"]: m["Name"] for m in world.engine.inspect(container)["Mounts"] if m["Type"] == "volume"}


@scenario("X37: without --adopt one sentence and exit 6; with it containers are replaced, and their volumes carried over")
def adopt(world):
    directory = world.stack(FILE, name="compose.yaml")
    made, oneoff = compose_up(world, directory)
    had = volumes(world, made)
    said = world.ctl("up").expect(6, "--adopt")
    equal(len(said.text.strip().splitlines()), 1, "lines")
    equal(world.ctl("--json", "up").expect(6).json()["code"], "foreign_project", "code")
    check(world.engine.inspect(made)["State"]["Running"], "it was touched")
    world.ctl("up", "--adopt", "--dry-run").expect(10, "recreate db: Docker Compose has made it")
    world.ctl("up", "--adopt").expect(0)
    now = [c for c in world.engine.containers(world.project, "db") if c["Labels"]["com.docker.compose.oneoff"] == "False"]
    equal([c["Names"] for c in now], [[f"/{world.project}-db-1"]], "its name")
    check(now[0]["Id"] != made, "it was not replaced")
    equal(volumes(world, now[0]["Id"]), had, "volumes")
    check(world.engine.inspect(oneoff)["State"]["Running"], "the one-off was touched")
    world.ctl("up").expect(0, "nothing to do")
    world.engine.call("DELETE", f"/containers/{oneoff}?force=1")
    world.ctl("down").expect(0)
    equal(world.engine.networks(world.project), [], "the network is taken away")
    equal(world.engine.run(world.project, ["cat", "/v/word"], volume=f"{world.project}_data").strip(), "kept", "the data")
    world.ctl("up").expect(0)
    world.ctl("down", "-v").expect(0)
    world.nothing_left()


@scenario("X37: another directory's project of that name is refused by name, with --adopt too")
def other_directory(world):
    world.stack(FILE, name="compose.yaml")
    compose_up(world, "/somewhere/else")
    for options in ([], ["--adopt"]):
        world.ctl("up", *options).expect(6, "/somewhere/else", "-p NAME")
